# Uptime Kuma as its makers ship it, without browser and database server, as a user of its own, with its files in /data.
FROM louislam/uptime-kuma:2.5.3-slim
USER root
RUN useradd --uid 10006 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin kuma \
 && install -d -o kuma -g kuma -m 0700 /data
ENV NODE_ENV=production DATA_DIR=/data/ UPTIME_KUMA_DB_TYPE=sqlite UPTIME_KUMA_HIDE_LOG=debug_monitor,info_monitor
USER 10006:10006
EXPOSE 3001
CMD ["node", "server/server.js"]
