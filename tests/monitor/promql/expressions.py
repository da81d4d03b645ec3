"""A few hundred expressions: every function, aggregation and operator, alone and combined."""

from __future__ import annotations

from collections.abc import Iterator

COUNTERS = (
    "http_requests_total",
    'http_requests_total{code=~"2..|5.."}',
    'http_errors_total{job!="web"}',
)
GAUGES = ("temperature", 'queue_length{instance=~"[a-c]:.*"}')
FINITE = "(temperature > -1e9 < 1e9)"
RANGES = ("1m", "5m", "23m", "1h10m")
WORDS = """
sum_over_time avg_over_time min_over_time max_over_time count_over_time last_over_time
present_over_time stddev_over_time stdvar_over_time delta idelta deriv changes resets
/ rate increase irate
/ abs ceil floor exp sqrt ln log2 log10 sgn sin cos tan asin acos atan sinh cosh tanh asinh acosh
atanh deg rad round sort sort_desc timestamp
/ minute hour day_of_week day_of_month day_of_year days_in_month month year
/ sum avg min max count group
"""
RANGE_FUNCTIONS, COUNTER_FUNCTIONS, NUMBER_FUNCTIONS, CALENDAR_FUNCTIONS, AGGREGATIONS = (
    line.split() for line in WORDS.split("/")
)
GROUPINGS = ("", "by (job)", "by (instance, code)", "without (instance)", "without (code, job)")
ARITHMETIC = ("+", "-", "*", "/", "%", "^")  # atan2 keeps metric names in 2.42
COMPARISONS = ("==", "!=", ">", "<", ">=", "<=")

SINGLE = """
1 + 2 * 3 ^ 2 ^ 0.5
-2 ^ 2
time() - 1.7e9
vector(time()) / 7
scalar(limit{job="api"})
scalar(temperature)
pi() * 2
absent(nothing{a="b", c=~"d"})
absent(temperature)
absent_over_time(nothing{a="b"}[5m])
absent_over_time(temperature{instance="a:1"}[20s])
minute()
day_of_year()
temperature offset 7m
temperature offset -3m
temperature @ 1700002222.333
temperature @ end()
rate(http_requests_total[5m] @ 1700002222.333 offset 2m)
rate(http_requests_total[5m] offset 11m)
sum by (job) (rate(http_errors_total[5m])) / sum by (job) (rate(http_requests_total[5m]))
sum(rate(http_errors_total[5m])) / ignoring (x) sum(rate(http_requests_total[5m])) > 0.1
temperature atan2 on (instance) queue_length
3 atan2 4
http_errors_total / on (instance) group_left (version) build_info
http_requests_total * on (instance) group_left (version) build_info
build_info * on (instance) group_right (version) http_requests_total
http_requests_total / ignoring (code) group_left http_errors_total
queue_length > on (job) group_left limit
queue_length > bool on (job) group_left limit
limit < on (job) group_right queue_length
limit >= bool on (job) group_right queue_length
limit - on (job) group_right queue_length
queue_length > on (job) group_left (limit > 1e9)
queue_length > on (instance) (temperature > 3 or temperature < -3)
http_errors_total > on (instance) group_left () (queue_length > 0 and temperature > 0)
queue_length + on (job) queue_length
queue_length - on (job) group_left () limit
temperature and on (instance) queue_length > 3
temperature and temperature > 10
temperature or queue_length
temperature or on (instance) queue_length
queue_length unless on (instance) temperature > 0
http_requests_total unless on (instance) (temperature > 0)
http_requests_total{code="500"} and ignoring (code) http_errors_total
histogram_quantile(0.9, rate(latency_seconds_bucket[5m]))
histogram_quantile(0.5, sum by (le) (rate(latency_seconds_bucket[10m])))
histogram_quantile(0.99, latency_seconds_bucket)
histogram_quantile(0, latency_seconds_bucket)
histogram_quantile(1, latency_seconds_bucket)
histogram_quantile(-1, latency_seconds_bucket)
histogram_quantile(2, latency_seconds_bucket)
histogram_quantile(scalar(limit{job="api"}) / 1000, sum without (instance) (latency_seconds_bucket))
histogram_quantile(0.9, latency_seconds_bucket{le!="+Inf"})
label_replace(temperature, "host", "$1-${2}", "instance", "(.*):(.*)")
label_replace(temperature, "room", "", "room", ".*")
label_replace(temperature, "copy", "$0", "nothing", "")
label_replace(temperature, "x", "y", "instance", "z")
label_join(temperature, "all", "-", "instance", "room", "nothing")
topk(3, temperature)
bottomk(2, temperature)
topk by (job) (1, queue_length)
topk(0, temperature)
bottomk without (instance) (1, http_requests_total)
topk(scalar(count(limit)), temperature)
quantile(0.3, temperature)
quantile by (job) (0.75, http_requests_total)
quantile(-1, temperature)
quantile(3, temperature)
count_values("value", round(temperature, 20))
count_values by (job) ("value", floor(queue_length / 10))
quantile_over_time(0.4, temperature[11m])
quantile_over_time(7, temperature[11m])
predict_linear(temperature[13m], 600)
predict_linear(http_requests_total[13m] offset 3m, 600)
clamp(temperature, -5, 10)
clamp(temperature, 10, -5)
clamp_max(temperature, 3.5)
clamp_min(temperature, 3.5)
round(temperature, 0.3)
round(temperature, 7)
rate(http_requests_total[5m])[30m:1m]
max_over_time(rate(http_requests_total[5m])[30m:1m])
avg_over_time(temperature[17m:23s])
sum_over_time((temperature > 5)[20m:37s] offset 2m)
max_over_time(sum by (job) (rate(http_requests_total[3m]))[20m:])
deriv(rate(http_requests_total[3m])[20m:1m])
changes((temperature > bool 5)[30m:15s])
min_over_time(max_over_time(temperature[5m])[20m:1m] @ 1700003333.5)
count_over_time(time()[10m:7s])
sum(temperature > 0) by (room) > 10
temperature > 10 < 20
temperature == temperature
temperature != temperature
1 < bool 2
2 >= bool temperature
10 > temperature
-temperature
+temperature
-(1 - temperature) * 2
{__name__=~"temp.*|queue_.*", instance="a:1"}
count({__name__=~".+"}) by (__name__)
sum({instance=~".*1"}) by (instance)
temperature{room=""}
temperature{room!=""}
temperature{nothing=""}
{room!~"[ab]", __name__="temperature"}
temperature[2m]
http_requests_total{code="404"}[90s]
rate(nothing_total[5m])
sum(nothing)
count(nothing) or vector(0)
(sum(nothing) or vector(0)) + 1
increase(http_requests_total[1h]) > 0 and increase(http_requests_total[5m]) == 0
sum(rate(http_requests_total[5m])) by (job) * on (job) group_left () limit
max by (instance) (temperature) - min by (instance) (temperature offset 10m)
http_requests_total - http_requests_total offset 5m
(time() - timestamp(temperature)) > 20
stddev by (job) (rate(http_requests_total[5m]))
""".strip().splitlines()


def expressions() -> Iterator[str]:
    """Yield every expression."""
    for window in RANGES:
        for function in RANGE_FUNCTIONS:
            yield from (f"{function}({selector}[{window}])" for selector in GAUGES)
        for function in COUNTER_FUNCTIONS:
            yield from (f"{function}({selector}[{window}])" for selector in COUNTERS)
    yield from (f"{function}(temperature)" for function in NUMBER_FUNCTIONS)
    # 2.42 answers for infinities and NaN: with whatever the processor makes of them as whole
    # numbers in calendar functions, with zero as the deviation of a single one.
    yield from (f"{function}({FINITE} * 1e8)" for function in CALENDAR_FUNCTIONS)
    for aggregation in (*AGGREGATIONS, "stddev", "stdvar"):
        yield f"{aggregation} by (room) {FINITE}"
        yield from (f"{aggregation} {how} (http_requests_total)" for how in GROUPINGS)
    for operator in ARITHMETIC + COMPARISONS:
        yield f"temperature {operator} on (instance) queue_length"
        yield f"temperature {operator} 3.5"
        yield f"3.5 {operator} temperature"
    for operator in COMPARISONS:
        yield f"http_errors_total {operator} bool 200000"
    yield from SINGLE
