"""Templates with what promtool 2.42 prints for them."""
# ruff: noqa: E501 - a template stands in one piece, so that it can be read

from __future__ import annotations

from monitor.rules.templates.values import Sample

VALUE = 3.0
UP = (Sample({"__name__": "v", "i": "a"}, VALUE),)

PRINTED = [
    ("{{ $value }}", "3"),
    (
        "{{ humanize $value }} {{ humanize1024 $value }} {{ humanizePercentage $value }} {{ humanizeDuration $value }} {{ humanizeTimestamp $value }}",
        "3 3 300% 3s 1970-01-01 00:00:03 +0000 UTC",
    ),
    ("{{ if gt $value 5.0 }}big{{ else if gt $value 1.0 }}mid{{ else }}small{{ end }}", "mid"),
    (
        '{{ with query "v" }}{{ range . }}[{{ .Labels.i }}={{ .Value }}]{{ else }}none{{ end }}{{ end }}',
        "[a=3]",
    ),
    ('{{ range $i, $e := query "v" }}{{ $i }}:{{ $e | value }},{{ end }}', "0:3,"),
    ('{{ query "sort_desc(v)" | first | value }}{{ query "v" | first | label "i" }}', "3a"),
    (
        '{{ $labels.i | toUpper }}{{ $labels.missing }}{{ "hello world-a_b o\'neil" | title }}',
        "AHello World-A_b O'Neil",
    ),
    ('{{ reReplaceAll "(.)b" "$1-${1}x$0" "abcb" }} {{ match "^a" "xa" }}', "a-axabc-cxcb false"),
    (
        '{{ "host.example.com:80" | stripPort }} {{ "host.example.com:80" | stripDomain }} {{"[::1]:9"|stripPort}} {{"1.2.3.4:5"|stripDomain}} {{"a.b"|stripDomain}}',
        "host.example.com host:80 ::1 1.2.3.4:5 a",
    ),
    ('{{- /* c */ -}}  x  {{- " y " -}}  z', "x y z"),
    ("{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}", "2"),
    (
        '{{ print 1 2 "a" 3 4 }}|{{ println "x" 1 }}|{{ printf "%s %d" "a" }}|{{ printf "%d" "a" }}|{{ printf "%s" 1.5 }}|{{printf "a" 1}}',
        "1 2a3 4|x 1\n|a %!d(MISSING)|%!d(string=a)|%!s(float64=1.5)|a%!(EXTRA int=1)",
    ),
    (
        '{{ and 1 0 2 }}{{ or 0 "" 3 }}{{ not 0 }}{{ len "héllo" }}{{ index $labels "i" }}{{ eq 1 2 1 }}{{ ne "a" "b" }}',
        "03true6atruetrue",
    ),
    (
        '{{ slice "abcdef" 1 3 }} {{ html "<a&\'\\">" }} {{ urlquery "a b&c" }} {{ js "it\'s <b>" }}',
        "bc &lt;a&amp;&#39;&#34;&gt; a+b%26c it\\'s \\u003Cb\\u003E",
    ),
    (
        '{{ define "t" }}<{{ . }}>{{ end }}{{ template "t" 5 }}{{ template "t" $labels.i }}',
        "<5><a>",
    ),
    (
        '{{ sortByLabel "i" (query "v") | len }}{{ range sortByLabel "i" (query "v") }}{{ .Labels.i }}{{ end }}',
        "1a",
    ),
    (
        '{{ $value | toTime }} {{ parseDuration "1h30m" }} {{ (toTime 0.0).Format "2006-01-02T15:04:05Z07:00" }}',
        "1970-01-01 00:00:03 +0000 UTC 5400 1970-01-01T00:00:00Z",
    ),
    ("{{ $labels }}", "map[__name__:v i:a]"),
    (
        "{{ 1e3 }} {{ 0x1F }} {{ 1.50 }} {{ 'a' }} {{ -5 }} {{ 100000000.0 }} {{ 1e21 }} {{true}}",
        "1000 31 1.5 97 -5 1e+08 1e+21 true",
    ),
    ("{{ range $k, $v := $labels }}{{ $k }}={{ $v }};{{ end }}", "__name__=v;i=a;"),
    ('{{ (args 1 "b").arg1 }}', "b"),
    ("{{ .Value }} {{ .Labels.i }} {{ $.Value }}", "3 a 3"),
    (
        "{{ with $labels.i }}{{ . }}{{ else }}no{{ end }}{{ with $labels.zz }}{{ . }}{{ else }}no{{ end }}",
        "ano",
    ),
    (
        '{{ range query "v" }}{{ if eq .Labels.i "b" }}{{ continue }}{{ end }}{{ .Labels.i }}{{ if eq .Value 3.0 }}{{ break }}{{ end }}{{ end }}',
        "a",
    ),
    (
        '{{ printf "%e %g %G %.3g %+d %+.1f %6d|%-6d|%06d %t %c %U %b %o %5t %%" 1234.5 1e7 1e-7 1234.5 5 2.5 42 42 42 true 65 65 5 8 true }}',
        "1.234500e+03 1e+07 1E-07 1.23e+03 +5 +2.5     42|42    |000042 true A U+0041 101 10  true %",
    ),
    (
        '{{ humanize "1234" }} {{ humanizeDuration "0.00005" }} {{ humanize 1e30 }} {{humanize 0.0}} {{ humanizeDuration -3700 }} {{ humanizeDuration 12.3456 }} {{ humanize1024 1 }} {{ humanizeTimestamp 1600000000.123 }} {{ humanizePercentage 0.12345 }}',
        "1.234k 50us 1e+06Y 0 -1h 1m 40s 12.35s 1 2020-09-13 12:26:40.122 +0000 UTC 12.35%",
    ),
    ('{{ "a\\tb\\u00e9" }}{{ `raw\\n` }}', "a\tbéraw\\n"),
    ('{{ $labels.i }} {{- "x" -}} b', "axb"),
    ('{{ safeHtml "<b>" }}{{ title "éa ÉB" }}{{ toLower "ÀB" }}', "<b>Éa ÉBàb"),
    ('{{ le 1 1 }}{{ ge 2 3 }}{{ lt "a" "b" }}{{ eq $labels.i "a" }}', "truefalsetruetrue"),
    ("{{ with $x := 5 }}{{ $x }}{{ end }}", "5"),
    ('{{ strvalue (query "v" | first) }}', ""),
    ('{{ block "q" $value }}[{{ . }}]{{ end }}', "[3]"),
    (
        "{{ humanizeDuration 1e-20 }} {{ humanizeDuration 90061.5 }} {{ humanizeDuration -0.5 }} {{ humanizeDuration 60 }} {{ humanizeDuration 59.99999 }}",
        "10zs 1d 1h 1m 1s -500ms 1m 0s 60s",
    ),
    (
        '{{ printf "%v %v" 1.0 true }} {{ printf "%s" $labels }} {{ print nil }}',
        "1 true map[__name__:v i:a] <nil>",
    ),
    ('{{ printf "%6.2f%%" 12.345 }}', " 12.35%"),
    ('{{ printf "%3s|%-3s|%03d|%x" "a" "b" 7 "hi" }}', "  a|b  |007|6869"),
    ('{{ $value | printf "%.1f" }}', "3.0"),
    ("{{ if and (gt $value 1.0) (lt $value 100.0) }}in{{ end }}", "in"),
    ('{{ 5 | printf "%d-%d" 4 }}', "4-5"),
]
FAILING = [
    "{{ gt $value 5 }}",
    "{{ $value | toUpper }}",
    '{{ first (query "nothing") }}',
    "{{ len 3 }}",
    "{{ nil }}",
    '{{ index (query "v") 9 }}',
    '{{ humanize "x" }}',
    '{{ reReplaceAll "(" "" "x" }}',
    "{{ .Foo }}",
    "{{ $labels.i.x }}",
]
BROKEN = [
    ("{{ $value", "unclosed action", 1),
    ("a\n{{ if }}x{{ end }}", "missing value for if", 2),
    ("{{ if true }}x", "not closed", 1),
    ("{{ end }}", "unexpected", 1),
    ("{{ $nothing }}", "undefined variable", 1),
    ("\n\n{{ nofunction 1 }}", 'function "nofunction" not defined', 3),
    ('{{ "open }}', "unterminated quoted string", 1),
    ("{{ 5 | 6 }}", "non executable command", 1),
    ("{{ (1 }}", "unclosed left parenthesis", 1),
    ("{{ break }}", "outside", 1),
    ('{{ template "t" }}', "is not defined", 1),
    ("{{ else }}", "unexpected", 1),
    ("{{ 1a }}", "unexpected", 1),
    ("{{ . | }}", "empty command|missing", 1),
]
