# Debian's Prometheus in place of the official image: its program in /bin, wget, the user nobody.
ARG BASE
FROM ${BASE}
RUN printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d \
 && printf 'path-exclude=/usr/share/%s/*\n' doc man locale >/etc/dpkg/dpkg.cfg.d/lean \
 && apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends busybox prometheus \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/* && ln -s busybox /bin/wget
USER nobody
EXPOSE 9090
ENTRYPOINT ["/bin/prometheus"]
