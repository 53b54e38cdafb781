package runtime

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
)

// ErrSilenced is what [Config.Guard] returns when a module failed and the
// policy is to go on without it. It wraps the failure.
var ErrSilenced = errors.New("silenced")

// PanicError is a panic inside a module, caught at its border.
type PanicError struct {
	Value any
	Stack []byte // for logs; the message leaves it out
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Guard calls a module so that its failure stays its own: an error, a panic,
// or no answer within the configured time becomes an error that names the
// module, after as many attempts as the policy grants. Under [Silence] the
// error wraps [ErrSilenced]. Cancelling ctx is not the module's failure: its
// error is returned as it is, without further attempts.
//
// A call that does not return in time is left behind in its goroutine, so do
// must not write to memory that the caller reads after a failure.
func (c Config) Guard(ctx context.Context, module string, do func(context.Context) error) error {
	attempts := 1
	if c.Policy == Retry {
		attempts += c.Retries
	}
	var err error
	for range attempts {
		if err = c.once(ctx, do); err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if c.Policy == Silence {
		return fmt.Errorf("module %q %w: %w", module, ErrSilenced, err)
	}
	if attempts > 1 {
		return fmt.Errorf("module %q failed %d times: %w", module, attempts, err)
	}
	return fmt.Errorf("module %q: %w", module, err)
}

func (c Config) once(ctx context.Context, do func(context.Context) error) error {
	run := func(ctx context.Context) (err error) {
		defer func() {
			if v := recover(); v != nil {
				err = &PanicError{Value: v, Stack: debug.Stack()}
			}
		}()
		return do(ctx)
	}
	if c.ModuleTimeout == 0 {
		return run(ctx)
	}
	limited, cancel := context.WithTimeout(ctx, c.ModuleTimeout)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- run(limited) }()
	select {
	case err := <-done:
		if err != nil && limited.Err() == context.DeadlineExceeded && ctx.Err() == nil {
			return fmt.Errorf("no answer within %v: %w", c.ModuleTimeout, err)
		}
		return err
	case <-limited.Done():
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("no answer within %v", c.ModuleTimeout)
	}
}

// CheckFinite reports the first value that is not a finite number.
func CheckFinite(values []float32) error {
	for i, v := range values {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Errorf("its output is %v at element %d", v, i)
		}
	}
	return nil
}
