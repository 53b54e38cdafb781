package resvg

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"strings"
	"sync"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/connectomewire/wire/internal/foreign"
)

// Limits of one rendering.
const (
	// MaxInput is the longest drawing accepted, in bytes.
	MaxInput = 8 << 20
	// MaxSize is the largest side of a rendered picture, in pixels.
	MaxSize = 2048
	// memoryPages bounds the memory of the module: 512 MiB in pages of 64 KiB.
	memoryPages = 8192
	// timeout bounds the time of one rendering.
	timeout = 20 * time.Second
)

// ErrModule reports a WebAssembly module that is not the resvg of
// npm's @resvg/resvg-wasm, or one of a version with another interface.
var ErrModule = errors.New("not a resvg WebAssembly module")

// Renderer draws SVG pictures. It is safe for concurrent use; renderings
// take turns.
type Renderer struct {
	mu       sync.Mutex
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
	module   api.Module // nil until first used and after a failed rendering
	heap     *heap
}

// New compiles the module. cacheDir keeps the compiled code between
// processes; empty means that it is compiled every time (about a second).
func New(ctx context.Context, wasm []byte, cacheDir string) (*Renderer, error) {
	config := wazero.NewRuntimeConfig().WithMemoryLimitPages(memoryPages).WithCloseOnContextDone(true)
	if cacheDir != "" {
		if cache, err := wazero.NewCompilationCacheWithDir(cacheDir); err == nil {
			config = config.WithCompilationCache(cache)
		}
	}
	r := &Renderer{runtime: wazero.NewRuntimeWithConfig(ctx, config)}
	compiled, err := foreign.Read("wazero", func() (wazero.CompiledModule, error) { return r.runtime.CompileModule(ctx, wasm) })
	if err != nil {
		r.Close()
		return nil, fmt.Errorf("%w: %v", ErrModule, err)
	}
	for _, name := range []string{"resvg_new", "resvg_render", "renderedimage_asPng", "__wbindgen_malloc", "__wbindgen_realloc", "__wbindgen_add_to_stack_pointer"} {
		if compiled.ExportedFunctions()[name] == nil {
			r.Close()
			return nil, fmt.Errorf("%w: it has no function %q", ErrModule, name)
		}
	}
	r.compiled = compiled
	if err := r.host(ctx); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// Close frees the compiled module.
func (r *Renderer) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.runtime.Close(context.Background())
}

// options is the part of resvg's options that is used.
type options struct {
	FitTo fitTo `json:"fitTo"`
	Font  font  `json:"font"`
}

type fitTo struct {
	Mode  string `json:"mode"`
	Value int    `json:"value,omitempty"`
}

type font struct {
	LoadSystemFonts bool `json:"loadSystemFonts"`
}

// Render draws the SVG so that its longer side is size pixels.
func (r *Renderer) Render(svg []byte, size int) (picture image.Image, err error) {
	if size < 1 || size > MaxSize {
		return nil, fmt.Errorf("svg: size %d is not in 1..%d pixels", size, MaxSize)
	}
	if len(svg) > MaxInput {
		return nil, fmt.Errorf("svg: drawing of %d bytes is longer than %d", len(svg), MaxInput)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if err := r.start(ctx); err != nil {
		return nil, err
	}
	picture, err = r.render(ctx, svg, size)
	if err != nil {
		// A trap may leave the module in any state: the next call starts afresh.
		r.module.Close(context.Background())
		r.module = nil
		return nil, err
	}
	return picture, nil
}

func (r *Renderer) start(ctx context.Context) error {
	if r.module != nil {
		return nil
	}
	r.heap = newHeap()
	module, err := r.runtime.InstantiateModule(ctx, r.compiled, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	if err != nil {
		return fmt.Errorf("svg: start resvg: %w", err)
	}
	r.module = module
	return nil
}

func (r *Renderer) render(ctx context.Context, svg []byte, size int) (image.Image, error) {
	// resvg fits either the width or the height, and which is longer is known
	// only after parsing: a tall drawing is parsed twice.
	drawing, err := r.parse(ctx, svg, fitTo{Mode: "width", Value: size})
	if err != nil {
		return nil, err
	}
	width, err := r.call(ctx, "resvg_width", drawing)
	if err != nil {
		return nil, err
	}
	height, err := r.call(ctx, "resvg_height", drawing)
	if err != nil {
		return nil, err
	}
	w, h := api.DecodeF64(width), api.DecodeF64(height)
	if !(w > 0 && h > 0) {
		return nil, fmt.Errorf("svg: drawing has no size (%g by %g)", w, h)
	}
	if h > w {
		if _, err := r.call(ctx, "__wbg_resvg_free", drawing); err != nil {
			return nil, err
		}
		if drawing, err = r.parse(ctx, svg, fitTo{Mode: "height", Value: size}); err != nil {
			return nil, err
		}
	}
	rendered, err := r.result(ctx, "resvg_render", drawing)
	if err != nil {
		return nil, err
	}
	handle, err := r.result(ctx, "renderedimage_asPng", rendered)
	if err != nil {
		return nil, err
	}
	data, ok := r.heap.take(uint32(handle)).([]byte)
	if !ok {
		return nil, errors.New("svg: resvg returned no picture")
	}
	if _, err := r.call(ctx, "__wbg_renderedimage_free", rendered); err != nil {
		return nil, err
	}
	if _, err := r.call(ctx, "__wbg_resvg_free", drawing); err != nil {
		return nil, err
	}
	return png.Decode(bytes.NewReader(data))
}

func (r *Renderer) parse(ctx context.Context, svg []byte, fit fitTo) (uint64, error) {
	text, err := json.Marshal(options{FitTo: fit})
	if err != nil {
		return 0, err
	}
	pointer, err := r.put(ctx, text)
	if err != nil {
		return 0, err
	}
	return r.result(ctx, "resvg_new", uint64(r.heap.add(string(svg))), uint64(pointer), uint64(len(text)), 0)
}

// result calls a function that writes (value, error, failed) through its
// first argument, as wasm-bindgen compiles a Rust Result.
func (r *Renderer) result(ctx context.Context, name string, args ...uint64) (uint64, error) {
	stack, err := r.call(ctx, "__wbindgen_add_to_stack_pointer", api.EncodeI32(-16))
	if err != nil {
		return 0, err
	}
	if _, err := r.call(ctx, name, append([]uint64{stack}, args...)...); err != nil {
		return 0, err
	}
	memory := r.module.Memory()
	value, ok0 := memory.ReadUint32Le(uint32(stack))
	problem, ok1 := memory.ReadUint32Le(uint32(stack) + 4)
	failed, ok2 := memory.ReadUint32Le(uint32(stack) + 8)
	if !ok0 || !ok1 || !ok2 {
		return 0, fmt.Errorf("svg: %s: result outside the module's memory", name)
	}
	if _, err := r.call(ctx, "__wbindgen_add_to_stack_pointer", 16); err != nil {
		return 0, err
	}
	if failed != 0 {
		return 0, fmt.Errorf("svg: %v", r.heap.take(problem))
	}
	return uint64(value), nil
}

func (r *Renderer) call(ctx context.Context, name string, args ...uint64) (uint64, error) {
	function := r.module.ExportedFunction(name)
	if function == nil {
		return 0, fmt.Errorf("%w: it has no function %q", ErrModule, name)
	}
	results, err := function.Call(ctx, args...)
	if err != nil {
		if ctx.Err() != nil {
			return 0, fmt.Errorf("svg: %s: %w", name, err)
		}
		// The lines that follow tell functions without names.
		first, _, _ := strings.Cut(err.Error(), "\n")
		return 0, fmt.Errorf("svg: resvg gives this drawing up: %s: %s", name, first)
	}
	if len(results) == 0 {
		return 0, nil
	}
	return results[0], nil
}

func (r *Renderer) put(ctx context.Context, data []byte) (uint32, error) {
	pointer, err := r.call(ctx, "__wbindgen_malloc", uint64(len(data)), 1)
	if err != nil {
		return 0, err
	}
	if !r.module.Memory().Write(uint32(pointer), data) {
		return 0, errors.New("svg: resvg's allocation lies outside its memory")
	}
	return uint32(pointer), nil
}

// host gives the module the few JavaScript functions that it imports. Their
// names carry a hash that changes between versions, so they are told apart
// by the name before the hash and the number of parameters.
func (r *Renderer) host(ctx context.Context) error {
	builder := r.runtime.NewHostModuleBuilder("wbg")
	for _, f := range r.compiled.ImportedFunctions() {
		module, name, _ := f.Import()
		if module != "wbg" {
			return fmt.Errorf("%w: it imports %s.%s", ErrModule, module, name)
		}
		implementation := r.imported(name, len(f.ParamTypes()))
		if implementation == nil {
			return fmt.Errorf("%w: it imports %s, which this version of wire does not know", ErrModule, name)
		}
		builder.NewFunctionBuilder().WithGoModuleFunction(implementation, f.ParamTypes(), f.ResultTypes()).Export(name)
	}
	_, err := builder.Instantiate(ctx)
	return err
}

// memory stands for the module's memory and for its ArrayBuffer.
type memory struct{}

func (r *Renderer) imported(name string, params int) api.GoModuleFunc {
	base := strings.TrimPrefix(strings.TrimPrefix(name, "__wbg_"), "__wbindgen_")
	if i := strings.LastIndexByte(base, '_'); strings.HasPrefix(name, "__wbg_") && i > 0 {
		base = base[:i]
	}
	text := func(m api.Module, stack []uint64) string {
		data, ok := m.Memory().Read(uint32(stack[0]), uint32(stack[1]))
		if !ok {
			return "message outside the module's memory"
		}
		return string(data)
	}
	switch fmt.Sprintf("%s/%d", base, params) {
	case "new/2": // new Error(message)
		return func(_ context.Context, m api.Module, s []uint64) { s[0] = r.heap.handle(errors.New(text(m, s))) }
	case "new/1": // new Uint8Array(buffer or array)
		return func(_ context.Context, m api.Module, s []uint64) {
			s[0] = r.heap.handle(r.heap.get(uint32(s[0])))
		}
	case "new/0": // new Array()
		return func(_ context.Context, _ api.Module, s []uint64) { s[0] = r.heap.handle([]any(nil)) }
	case "memory/0":
		return func(_ context.Context, _ api.Module, s []uint64) { s[0] = r.heap.handle(memory{}) }
	case "buffer/1":
		return func(_ context.Context, _ api.Module, s []uint64) { s[0] = r.heap.handle(memory{}) }
	case "newwithbyteoffsetandlength/3":
		return func(_ context.Context, m api.Module, s []uint64) {
			data, _ := m.Memory().Read(uint32(s[1]), uint32(s[2]))
			s[0] = r.heap.handle(bytes.Clone(data))
		}
	case "object_drop_ref/1":
		return func(_ context.Context, _ api.Module, s []uint64) { r.heap.take(uint32(s[0])) }
	case "instanceof_Uint8Array/1":
		return func(_ context.Context, _ api.Module, s []uint64) {
			_, is := r.heap.get(uint32(s[0])).([]byte)
			s[0] = truth(is)
		}
	case "string_get/2":
		return func(ctx context.Context, m api.Module, s []uint64) {
			var pointer, length uint32
			if text, is := r.heap.get(uint32(s[1])).(string); is {
				if p, err := r.put(ctx, []byte(text)); err == nil {
					pointer, length = p, uint32(len(text))
				}
			}
			m.Memory().WriteUint32Le(uint32(s[0]), pointer)
			m.Memory().WriteUint32Le(uint32(s[0])+4, length)
		}
	case "string_new/2":
		return func(_ context.Context, m api.Module, s []uint64) { s[0] = r.heap.handle(text(m, s)) }
	case "push/2":
		return func(_ context.Context, _ api.Module, s []uint64) {
			list, _ := r.heap.get(uint32(s[0])).([]any)
			list = append(list, r.heap.get(uint32(s[1])))
			r.heap.set(uint32(s[0]), list)
			s[0] = uint64(len(list))
		}
	case "length/1":
		return func(_ context.Context, _ api.Module, s []uint64) {
			data, _ := r.heap.get(uint32(s[0])).([]byte)
			s[0] = uint64(len(data))
		}
	case "set/3", "values/1", "next/1", "done/1", "value/1":
		// Reached only when fonts or linked pictures are handed in, which is never done here.
		return func(context.Context, api.Module, []uint64) { panic("svg: fonts and linked pictures are not supported") }
	case "throw/2":
		return func(_ context.Context, m api.Module, s []uint64) { panic("svg: " + text(m, s)) }
	}
	return nil
}

func truth(is bool) uint64 {
	if is {
		return 1
	}
	return 0
}

// heap holds the values that the module refers to by number, as
// wasm-bindgen's JavaScript does.
type heap struct {
	values []any
	free   []uint32
}

func newHeap() *heap {
	// Numbers below 132 are reserved for undefined, null, true and false.
	return &heap{values: make([]any, 132)}
}

func (h *heap) add(value any) uint32 {
	if n := len(h.free); n > 0 {
		i := h.free[n-1]
		h.free = h.free[:n-1]
		h.values[i] = value
		return i
	}
	h.values = append(h.values, value)
	return uint32(len(h.values) - 1)
}

func (h *heap) handle(value any) uint64 { return uint64(h.add(value)) }

func (h *heap) get(i uint32) any {
	if int(i) >= len(h.values) {
		return nil
	}
	return h.values[i]
}

func (h *heap) set(i uint32, value any) {
	if int(i) < len(h.values) {
		h.values[i] = value
	}
}

func (h *heap) take(i uint32) any {
	value := h.get(i)
	if i >= 132 && int(i) < len(h.values) {
		h.values[i] = nil
		h.free = append(h.free, i)
	}
	return value
}
