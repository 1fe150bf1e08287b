# python:3.11-slim-bookworm on a machine without pyenv: Debian's Python, made to look like one in /usr/local.
ARG BASE
FROM $BASE
RUN --mount=type=bind,source=apt-install,target=/tmp/apt-install \
    --mount=type=cache,id=longshore-apt-bookworm,target=/var/cache/apt,sharing=locked \
    /tmp/apt-install ca-certificates libpython3-dev netbase python3 python3-distutils python3-pip python3-venv tzdata
ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin \
    LANG=C.UTF-8 \
    PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
    REQUESTS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
ARG PYTHON
ARG PIP
ARG SETUPTOOLS
ARG WHEEL
RUN rm /usr/lib/python$PYTHON/EXTERNALLY-MANAGED \
 && ln -s /usr/bin/python$PYTHON /usr/local/bin/python$PYTHON \
 && ln -s python$PYTHON /usr/local/bin/python3 \
 && ln -s python3 /usr/local/bin/python \
 && ln -s /usr/include/python$PYTHON /usr/local/include/ \
 && mkdir -p /usr/local/lib/python$PYTHON/dist-packages \
 && ln -s dist-packages /usr/local/lib/python$PYTHON/site-packages \
 && python -m pip install --no-cache-dir --ignore-installed pip==$PIP setuptools==$SETUPTOOLS wheel==$WHEEL \
 && pip --version
CMD ["python3"]
