"""Go's template language with Prometheus's functions, as labels and annotations of rules use it.

`parse` finds every fault that can be known without data, `Template.expand` fills a template in.
The language is Go's text/template (https://pkg.go.dev/text/template), the functions are those of
https://prometheus.io/docs/prometheus/latest/configuration/template_reference/.
"""

from monitor.rules.templates.errors import TemplateError
from monitor.rules.templates.template import AlertData, Environment, Template, parse

__all__ = ["AlertData", "Environment", "Template", "TemplateError", "parse"]
