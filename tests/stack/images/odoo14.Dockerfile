# Odoo 14 as Debian bullseye packages it: the one server version that packages carry, in place of the official image.
ARG BASE
FROM ${BASE}
RUN printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d \
 && echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/unsafe \
 && printf 'path-exclude=/usr/share/%s/*\n' doc man locale >/etc/dpkg/dpkg.cfg.d/lean \
 && echo 'path-exclude=/usr/lib/python3/dist-packages/odoo/*.po' >>/etc/dpkg/dpkg.cfg.d/lean \
 && apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends odoo-14 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*
RUN mkdir -p /var/lib/odoo /opt/countersign/addons && chown odoo /var/lib/odoo
USER odoo
EXPOSE 8069 8072
CMD ["odoo", "-c", "/etc/odoo/odoo.conf"]
