# The static binary with a plan: docs/serving.md. Without the tag "static" it would
# need a C library, to load ONNX Runtime.
#
#   CGO_ENABLED=0 go build -tags static -trimpath -ldflags "-s -w" -o wire ./cmd/wire
#   docker build -t wire -f docs/serving.Dockerfile .
FROM scratch
COPY wire /wire
# A trained plan made with --bundle goes here: COPY plan /plan, and "plan" below.
USER 65532:65532
ENV WIRE_CACHE=/tmp/wire
EXPOSE 8000 8001
ENTRYPOINT ["/wire", "serve", "--log", "json"]
CMD ["default", "--addr", "0.0.0.0:8000", "--grpc", "0.0.0.0:8001", "--public"]
