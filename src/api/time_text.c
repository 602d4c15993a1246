#include "api/time_text.h"

#include <stdio.h>
#include <time.h>

void time_text(int64_t ns, char *out, size_t size)
{
	time_t seconds = ns / 1000000000;
	struct tm tm;
	char date[32], zone[8], fraction[16];
	size_t n;

	localtime_r(&seconds, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	strftime(zone, sizeof(zone), "%z", &tm);
	n = (size_t)snprintf(fraction, sizeof(fraction), ".%09d", (int)(ns % 1000000000));
	while (n > 0 && (fraction[n - 1] == '0' || fraction[n - 1] == '.'))
		fraction[--n] = '\0';
	if (tm.tm_gmtoff == 0)
		snprintf(out, size, "%s%sZ", date, fraction);
	else
		snprintf(out, size, "%s%s%.3s:%s", date, fraction, zone, zone + 3);
}
