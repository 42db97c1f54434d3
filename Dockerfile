# The image of Ottla: one static binary, nothing else, no root. `make image` compiles the binary and lays out the links first, so
# that nothing has to be pulled and nothing runs while the image is built; docs/CONTAINER.md says how it is used.
FROM scratch

# The processor: BuildKit sets it, `make image` says it to builders that do not.
ARG TARGETARCH

# kafka-topics and the others under their names (/usr/bin, /opt/kafka/bin), and the start scripts of apache/kafka and cp-kafka, all
# as links to the binary.
COPY bin/image/links/ /
COPY bin/image/$TARGETARCH/ottla /usr/bin/ottla
# /var/lib/kafka/data and /tmp, where compose files like to put log.dirs. User 1000 is also the one of apache/kafka and cp-kafka, so
# that volumes of theirs can be written to.
COPY --chown=1000:1000 bin/image/writable/ /
USER 1000:1000

# Says that the defaults are those of a container (cmd/ottla/container.go): all interfaces, advertised as localhost:9092, data in the
# volume. They are no KAFKA_* variables, because those would stand above a mounted file and beside listeners of other names.
ENV OTTLA_CONTAINER=1 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/kafka/bin

EXPOSE 9092 9644
VOLUME /var/lib/kafka/data
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s CMD ["/usr/bin/ottla", "health"]
ENTRYPOINT ["/usr/bin/ottla"]
CMD ["serve"]
