# The service as an image: built in one stage, run in another that has no compiler and no root.
# Python is the version the constraints were tested with.
ARG PYTHON=3.11.14-slim-bookworm

FROM python:${PYTHON} AS build
ARG EXTRAS=postgres
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /source
RUN python -m venv /opt/monitor
# What changes seldom first, so that a change of code does not install everything again.
COPY constraints.txt pyproject.toml README.md ./
COPY monitor monitor
COPY probes probes
COPY incidents incidents
COPY alert_rules alert_rules
COPY dashboards dashboards
RUN /opt/monitor/bin/pip install --constraint constraints.txt ".[${EXTRAS}]"

FROM python:${PYTHON} AS run
RUN groupadd --system --gid 10001 monitor \
 && useradd --system --uid 10001 --gid monitor --home-dir /var/lib/monitor --create-home monitor
COPY --from=build /opt/monitor /opt/monitor
ENV PATH=/opt/monitor/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MONITOR_CONFIG=/etc/monitor \
    MONITOR_DATA=/var/lib/monitor \
    MONITOR_HOST=0.0.0.0 \
    MONITOR_PORT=8080 \
    MONITOR_LOG_FORMAT=json
USER 10001:10001
WORKDIR /var/lib/monitor
VOLUME /var/lib/monitor
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/-/healthy', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["monitor"]
CMD ["serve"]
