/* PostgreSQL's own client library; pkg-config knows where its header lies. */
#include <libpq-fe.h>
#include <stdint.h>

/* The most values that one command may have. */
enum { cpostgres_value_limit = 64 };

/* PQsendQueryPrepared for values that lie one after the other, in binary format, answers in the same. An offset of -1 stands
   for NULL. The pointers that libpq wants are made here, where a byte may be looked at as a char. */
static inline int cpostgres_send_prepared(PGconn *connection, const char *name, int count, const uint8_t *bytes,
                                          const int32_t *offsets, const int32_t *lengths) {
    const char *values[cpostgres_value_limit];
    int formats[cpostgres_value_limit];
    if (count < 0 || count > cpostgres_value_limit) return 0;
    for (int index = 0; index < count; index++) {
        values[index] = offsets[index] < 0 ? 0 : (const char *)bytes + offsets[index];
        formats[index] = 1;
    }
    return PQsendQueryPrepared(connection, name, count, values, lengths, formats, 1);
}
