"""Draws panels of a dashboard, in Grafana's grid, into one SVG without scripts or fonts of its own."""

import html
import math

COLUMN, ROW = 50, 29  # pixels of the grid, which has 24 columns
MARGIN, HEAD = 10, 74
LEFT, RIGHT, TOP, BOTTOM = 52, 10, 28, 16  # of the plot inside of its panel
LEGEND_ROW, LEGEND_ROWS = 12, 4
COLOURS = ("#1b62a5", "#d9690f", "#2f8f3d", "#b8264b", "#7950a8", "#8a5a2b", "#c95a9d", "#5c6670", "#9a8f00", "#0f9aa8")
UNITS = {"ops": "/s", "pps": "/s", "Bps": "B/s"}


def number_label(value, unit):
    """0.05 s as "50 ms", 2500 Bps as "2.5 kB/s", 0.25 percentunit as "25 %"."""
    if unit == "percentunit":
        return f"{value * 100:.3g} %"
    if unit == "s":
        for size, name in ((1, "s"), (1e-3, "ms"), (1e-6, "µs")):
            if value >= size or name == "µs":
                return f"{value / size:.3g} {name}" if value else "0 s"
    scale, name = (1e6, "M") if value >= 1e6 else (1e3, "k") if value >= 1e3 else (1, "")
    unit = name + UNITS.get(unit, "")
    return f"{value / scale:.3g} {unit}".strip()


def step_of(highest):
    """The distance of three or four lines across, of 1, 2 or 5 of a power of ten."""
    raw = highest / 4
    power = 10.0 ** math.floor(math.log10(raw))
    return next(digit * power for digit in (1, 2, 5, 10) if digit * power >= raw * 0.999)


def text(x, y, words, size=10, more=""):
    return f'<text x="{x:g}" y="{y:g}" font-size="{size}" {more}>{html.escape(words)}</text>'


def shortened(words, pixels):
    """The words, cut to a width at 9 pixels of height."""
    room = int(pixels / 4.9)
    return words if len(words) <= room else words[:room - 1] + "…"


def paths(points, px, py):
    """A path through the points. It has gaps where the points have them, and no point between two equal ones."""
    out, last = [], None
    kept = [point for index, point in enumerate(points)
            if index in (0, len(points) - 1) or not (points[index - 1][1] == point[1] == points[index + 1][1]
                                                     and points[index + 1][0] - points[index - 1][0] < 2.5)]
    followed = {points[index + 1][0]: points[index][0] for index in range(len(points) - 1)}
    for moment, value in kept:
        gap = last is None or moment - followed.get(moment, moment) > 1.5
        out.append(f"{'M' if gap else 'L'}{px(moment):.0f} {py(value):.1f}".replace(".0", ""))
        last = moment
    return "".join(out)


def legend(names, x, y, width):
    """The series with most to see first; says how many have no room."""
    longest = max((len(name) for name in names), default=0)
    columns = 2 if longest * 4.9 + 14 < width / 2 or len(names) > LEGEND_ROWS else 1
    room = columns * LEGEND_ROWS
    shown = names if len(names) <= room else names[:room - 1]
    out = []
    for index, name in enumerate(shown):
        at_x = x + (index // LEGEND_ROWS) * width / columns
        at_y = y + (index % LEGEND_ROWS) * LEGEND_ROW
        out.append(f'<path d="M{at_x:g} {at_y - 3:g}h8" stroke="{COLOURS[index % len(COLOURS)]}" stroke-width="3"/>'
                   + text(at_x + 11, at_y, shortened(name, width / columns - 14), 9))
    if len(shown) < len(names):
        more = f"and {len(names) - len(shown)} more"
        out.append(text(x + width / 2 + 11, y + (LEGEND_ROWS - 1) * LEGEND_ROW, more, 9, 'fill="#666"'))
    return "".join(out)


def graph(width, height, unit, series, events, seconds):
    """Series: name -> [(second, value)]."""
    highest = max(value for points in series.values() for _, value in points)
    step = step_of(highest)
    top = math.ceil(highest / step * 0.999) * step
    bottom = height - BOTTOM - LEGEND_ROW * LEGEND_ROWS - 6
    px = lambda moment: LEFT + moment / seconds * (width - LEFT - RIGHT)
    py = lambda value: bottom - value / top * (bottom - TOP)
    out = []
    for index in range(round(top / step) + 1):
        y = py(index * step)
        out.append(f'<path d="M{LEFT} {y:.1f}H{width - RIGHT}" stroke="#e4e4e4"/>'
                   + text(LEFT - 4, y + 3, number_label(index * step, unit), 9, 'text-anchor="end" fill="#555"'))
    for number, (second, _) in enumerate(events, 1):
        out.append(f'<path d="M{px(second):.1f} {TOP}V{bottom}" stroke="#999" stroke-dasharray="2 3"/>'
                   + text(px(second), bottom + 10, str(number), 9, 'text-anchor="middle" fill="#555"'))
    names = sorted(series, key=lambda name: -sum(value for _, value in series[name]))
    for index, name in reversed(list(enumerate(names))):
        out.append(f'<path d="{paths(series[name], px, py)}" fill="none" stroke="{COLOURS[index % len(COLOURS)]}" '
                   f'stroke-width="1.3" stroke-linejoin="round"/>')
    return "".join(out) + legend(names, 12, bottom + BOTTOM + 10, width - 20)


def table(rows):
    columns = list(rows[0])
    out = []
    for index, row in enumerate([dict(zip(columns, columns))] + rows):
        for column, key in enumerate(columns):
            bold = "" if index else 'font-weight="bold"'
            out.append(text(16 + column * 190, 48 + index * 18, row[key], 11, bold))
    return "".join(out)


def draw(title, made, events, seconds, panels):
    """
    The picture. Events: (second, words). Panels: the dashboard's, each with its series (name -> [(second, value)]), its
    rows (a dictionary each), or None for a heading.
    """
    bottom = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel, _ in panels)
    width, height = 24 * COLUMN + 2 * MARGIN, bottom * ROW + HEAD + MARGIN
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
           f'font-family="sans-serif"><rect width="100%" height="100%" fill="#f4f5f5"/>',
           text(MARGIN + 4, 24, title, 17, 'font-weight="bold"'),
           text(MARGIN + 4, 42, f"{seconds} seconds of a run: {made}", 11, 'fill="#555"'),
           text(MARGIN + 4, 60, "   ".join(f"{number}: {words} ({second} s)"
                                           for number, (second, words) in enumerate(events, 1)), 11, 'fill="#333"')]
    for panel, data in panels:
        place = panel["gridPos"]
        x, y = MARGIN + place["x"] * COLUMN, HEAD + place["y"] * ROW
        wide, high = place["w"] * COLUMN - 8, place["h"] * ROW - 8
        out.append(f'<g transform="translate({x:g} {y:g})">')
        if data is None:
            out.append(text(4, 18, panel["title"], 14, 'font-weight="bold"'))
        else:
            out.append(f'<rect width="{wide}" height="{high}" fill="white" stroke="#dcdcdc"/>'
                       + text(10, 17, panel["title"], 12, 'font-weight="bold"'))
            unit = panel.get("fieldConfig", {}).get("defaults", {}).get("unit", "short")
            out.append(table(data) if panel["type"] == "table" else graph(wide, high, unit, data, events, seconds))
        out.append("</g>")
    return "\n".join(out) + "\n</svg>\n"
