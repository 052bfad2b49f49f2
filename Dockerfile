# The console in an image: one for web, workers, clock and commands. docs/operating.md says
# how it is run. BASE is any Debian 13; name one by its digest to build the same again:
# --build-arg BASE=debian:trixie-slim@sha256:…
ARG BASE=debian:trixie-slim

FROM ${BASE} AS python
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/*

FROM python AS build
RUN apt-get update && apt-get install --yes --no-install-recommends python3-venv ca-certificates
WORKDIR /opt/write-console
COPY requirements.txt ./
# The packages come without pip, which stays behind; each must have its hash. Translations,
# stubs of types, and numpy's tests of itself are an eighth of all and never read.
RUN python3 -m venv /opt/pip && python3 -m venv --without-pip .venv \
    && /opt/pip/bin/pip --python .venv/bin/python install --quiet --no-cache-dir \
        --require-hashes --only-binary :all: -r requirements.txt \
    && find .venv \( -name '*.po' -o -name '*.mo' -o -name '*.pyi' \) -delete \
    && find .venv -path '*/numpy/*' -name tests -prune -exec rm -r {} +
COPY manage.py ./
COPY ampersand ampersand
COPY console console
COPY files files
COPY operations operations
COPY writes writes
COPY templates templates
COPY static static
# Keys of no use, and a directory of no use: the settings want them.
RUN SECRET_KEY=only-while-the-image-is-built-0123456789-abcdefghijk \
    FIELD_KEYS=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= DATA_DIR=/tmp/data \
    .venv/bin/python manage.py collectstatic --noinput --verbosity 0 \
    && .venv/bin/python -m compileall -q manage.py ampersand console files operations writes

FROM python
RUN useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin write-console \
    && install --directory --owner 10001 --group 10001 --mode 0700 /var/lib/write-console
COPY --from=build /opt/write-console /opt/write-console
# Whom the mail server, the S3 store and doctor are verified by; it may be another bundle.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
WORKDIR /opt/write-console
ENV PATH=/opt/write-console/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    DATA_DIR=/var/lib/write-console
USER 10001:10001
VOLUME /var/lib/write-console
EXPOSE 8000
# Of the web server; workers and the clock have none to ask.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
STOPSIGNAL SIGTERM
# What gunicorn notes of its workers goes where memory is: the root file system may be read-only.
CMD ["gunicorn", "--config", "python:console.web.config", "--worker-tmp-dir", "/dev/shm"]
