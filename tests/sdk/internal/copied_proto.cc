// A shared object that seems to have its own copy of gearman/sdk/config.proto:
// it has the name of the variable that generated code has for the file.
extern "C" {
extern const char descriptor_table_gearman_2fsdk_2fconfig_2eproto;
const char descriptor_table_gearman_2fsdk_2fconfig_2eproto = 0;
}
