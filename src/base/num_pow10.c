#include "base/num_pow10.h"

const struct pow10 pow10_table[] = {
#include "pow10.h"
};
