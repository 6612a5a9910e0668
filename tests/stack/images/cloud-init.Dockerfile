# cloud-init of Debian bookworm, to be asked about its schema; it never runs as the first boot of anything here.
ARG BASE
FROM ${BASE}
RUN printf 'path-exclude=/usr/share/%s/*\n' man locale >/etc/dpkg/dpkg.cfg.d/lean \
 && apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends cloud-init \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*
USER nobody
ENTRYPOINT ["cloud-init", "schema", "--config-file", "/dev/stdin"]
