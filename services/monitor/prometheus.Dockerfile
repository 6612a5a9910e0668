# Prometheus with our targets and rules, as a user of its own, with what it keeps in /data: a month, or 1 GB.
FROM prom/prometheus:v3.5.0
USER root
RUN mkdir /data && chown 10007:10007 /data
COPY services/monitor/prometheus/prometheus.yaml services/monitor/prometheus/rules.yaml /etc/prometheus/
USER 10007:10007
EXPOSE 9090
ENTRYPOINT ["/bin/prometheus"]
CMD ["--config.file=/etc/prometheus/prometheus.yaml", "--storage.tsdb.path=/data", "--storage.tsdb.retention.time=30d", \
     "--storage.tsdb.retention.size=1GB", "--log.level=warn"]
