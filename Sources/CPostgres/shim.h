/* PostgreSQL's own client library; pkg-config knows where its header lies. */
#include <libpq-fe.h>
