package main

import (
	"context"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// tracing sends spans where --otlp says, or, as OpenTelemetry's programs do, the
// variable OTEL_EXPORTER_OTLP_ENDPOINT; nowhere without either.
func tracing(c *cli.Context) (trace.TracerProvider, func(), error) {
	nothing := func() {}
	var options []otlptracehttp.Option
	switch url := c.String("otlp"); {
	case url != "" && !strings.HasPrefix(url, "http://") && !strings.HasPrefix(url, "https://"):
		return nil, nothing, usagef("--otlp %s: want http://HOST:PORT or https://…", url)
	case url != "":
		options = append(options, otlptracehttp.WithEndpointURL(strings.TrimSuffix(url, "/")+"/v1/traces"))
	case os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") == "" && os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == "":
		return nil, nothing, nil
	}
	exporter, err := otlptracehttp.New(c.Context, options...)
	if err != nil {
		return nil, nothing, err
	}
	who := resource.NewSchemaless(attribute.String("service.name", "wire"), attribute.String("service.version", version()))
	p := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(who))
	return p, func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		p.Shutdown(ctx) // spans that cannot be sent are lost
	}, nil
}
