package serve

import (
	"context"
	"errors"
	"net/http"
	"time"

	wire "github.com/connectomewire/wire"
	"github.com/connectomewire/wire/runtime/serve/gate"
	"github.com/connectomewire/wire/runtime/serve/protocol"
)

// StatusClosed is the status of a request whose client went away, which none
// will read.
const StatusClosed = 499

// Status is the HTTP status of an error, and how long to wait before asking
// again where that may help.
func Status(err error) (status int, after time.Duration) {
	var refused *protocol.Error
	var full *gate.Full
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		return http.StatusOK, 0
	case errors.As(err, &refused):
		return refused.Status, refused.After
	case errors.As(err, &full) && full.After == 0:
		return http.StatusRequestEntityTooLarge, 0
	case errors.As(err, &full):
		return http.StatusTooManyRequests, full.After
	case errors.As(err, new(gate.Closed)), errors.Is(err, wire.ErrClosed):
		return http.StatusServiceUnavailable, time.Second
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge, 0
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusGatewayTimeout, 0
	case errors.Is(err, context.Canceled):
		return StatusClosed, 0
	}
	return http.StatusInternalServerError, 0
}
