package ort

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"unsafe"

	"github.com/connectomewire/wire/modules"
)

// Version of the C interface that is asked for, that of ONNX Runtime 1.14.
// Later libraries still answer it.
const apiVersion = 14

// Indices of functions in the OrtApi table (onnxruntime_c_api.h).
const (
	fnGetErrorMessage          = 2
	fnCreateEnv                = 3
	fnCreateSessionFromArray   = 8
	fnRun                      = 9
	fnCreateSessionOptions     = 10
	fnSetIntraOpNumThreads     = 24
	fnSetInterOpNumThreads     = 25
	fnSessionGetInputCount     = 30
	fnSessionGetOutputCount    = 31
	fnSessionGetInputTypeInfo  = 33
	fnSessionGetOutputTypeInfo = 34
	fnSessionGetInputName      = 36
	fnSessionGetOutputName     = 37
	fnCreateRunOptions         = 39
	fnRunOptionsSetTerminate   = 46
	fnRunOptionsUnsetTerminate = 47
	fnCreateTensor             = 48
	fnCreateTensorWithData     = 49
	fnIsTensor                 = 50
	fnGetTensorMutableData     = 51
	fnFillStringTensor         = 52
	fnGetStringDataLength      = 53
	fnGetStringContent         = 54
	fnCastTypeInfoToTensorInfo = 55
	fnGetOnnxTypeFromTypeInfo  = 56
	fnGetTensorElementType     = 60
	fnGetDimensionsCount       = 61
	fnGetDimensions            = 62
	fnGetSymbolicDimensions    = 63
	fnGetTensorTypeAndShape    = 65
	fnGetValueType             = 67
	fnCreateCPUMemoryInfo      = 69
	fnAllocatorFree            = 76
	fnGetDefaultAllocator      = 78
	fnGetValue                 = 80
	fnGetValueCount            = 81
	fnReleaseStatus            = 93
	fnReleaseSession           = 95
	fnReleaseValue             = 96
	fnReleaseRunOptions        = 97
	fnReleaseTypeInfo          = 98
	fnReleaseTensorInfo        = 99
	fnReleaseSessionOptions    = 100
	fnAddSessionConfigEntry    = 130
	tableSize                  = fnAddSessionConfigEntry + 1
)

// library is a loaded ONNX Runtime: its function table, environment,
// CPU memory description and allocator, which live as long as the process.
type library struct {
	path, version string
	fn            [tableSize]uintptr
	env           uintptr
	memory        uintptr
	allocator     uintptr
}

// libraries that were loaded, by path: loading twice would give two
// environments.
var libraries struct {
	sync.Mutex
	byPath map[string]*library
}

func loadLibrary(path string) (*library, error) {
	libraries.Lock()
	defer libraries.Unlock()
	if l := libraries.byPath[path]; l != nil {
		return l, nil
	}
	l, err := openTable(path)
	if err != nil {
		return nil, err
	}
	if libraries.byPath == nil {
		libraries.byPath = map[string]*library{}
	}
	libraries.byPath[path] = l
	return l, nil
}

func openTable(path string) (*library, error) {
	handle, err := openLibrary(path)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be loaded: %w", path, err)
	}
	getBase, err := symbol(handle, "OrtGetApiBase")
	if err != nil {
		return nil, fmt.Errorf("%s is not ONNX Runtime: it has no OrtGetApiBase", path)
	}
	base := call(getBase)
	if base == 0 {
		return nil, fmt.Errorf("%s is not ONNX Runtime: OrtGetApiBase gave nothing", path)
	}
	// struct OrtApiBase { GetApi(version); GetVersionString() }
	functions := (*[2]uintptr)(pointer(base))
	l := &library{path: path, version: goString(call(functions[1]))}
	table := call(functions[0], apiVersion)
	if table == 0 {
		return nil, fmt.Errorf("%s is ONNX Runtime %s, which is too old: 1.%d or newer is needed", path, l.version, apiVersion)
	}
	l.fn = *(*[tableSize]uintptr)(pointer(table))
	return l, l.start()
}

// start makes the objects that all sessions share.
func (l *library) start() error {
	var p pins
	defer p.Unpin()
	name := cString("wire")
	const fatal = 4 // errors come back as statuses; nothing is printed
	if err := l.check(call(l.fn[fnCreateEnv], fatal, address(&p, name), address(&p, &l.env))); err != nil {
		return err
	}
	const arena, defaultMemory = 1, 0
	if err := l.check(call(l.fn[fnCreateCPUMemoryInfo], arena, defaultMemory, address(&p, &l.memory))); err != nil {
		return err
	}
	return l.check(call(l.fn[fnGetDefaultAllocator], address(&p, &l.allocator)))
}

// check turns an OrtStatus, which it releases, into an error.
func (l *library) check(status uintptr) error {
	if status == 0 {
		return nil
	}
	message := goString(call(l.fn[fnGetErrorMessage], status))
	call(l.fn[fnReleaseStatus], status)
	return errors.New(message)
}

// release calls one of the Release functions unless there is nothing to.
func (l *library) release(fn int, object uintptr) {
	if object != 0 {
		call(l.fn[fn], object)
	}
}

// pins keeps Go memory where it is and alive while C uses it. The zero value
// is ready; unpin ends it.
type pins struct{ runtime.Pinner }

// address pins the variable (so it lives on the heap) and gives its address.
func address[T any](p *pins, v *T) uintptr {
	p.Pin(v)
	return uintptr(unsafe.Pointer(v))
}

// pointer makes a pointer of an address that C gave.
func pointer(addr uintptr) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Pointer(&addr))
}

// cString is s with a terminating zero, for C.
func cString(s string) *byte {
	b := append([]byte(s), 0)
	return &b[0]
}

// goString copies a C string.
func goString(addr uintptr) string {
	if addr == 0 {
		return ""
	}
	n := 0
	for *(*byte)(unsafe.Add(pointer(addr), n)) != 0 {
		n++
	}
	return string(unsafe.Slice((*byte)(pointer(addr)), n))
}

// Engine runs models with one ONNX Runtime library.
type Engine struct{ lib *library }

// Open loads the library at path, or the first usable one of [Candidates]
// when path is empty. The error wraps modules.ErrNoLibrary.
func Open(path string) (*Engine, error) {
	if !supported {
		return nil, notFound(nil)
	}
	var tried []string
	for _, c := range Candidates(path) {
		lib, err := loadLibrary(c.Path)
		if err == nil {
			return &Engine{lib}, nil
		}
		tried = append(tried, fmt.Sprintf("%v (%s)", err, c.From))
	}
	return nil, notFound(tried)
}

// Name is "onnxruntime".
func (e *Engine) Name() string { return "onnxruntime" }

// Version of the library, such as "1.30.0", and Path it was loaded from.
func (e *Engine) Version() string { return e.lib.version }
func (e *Engine) Path() string    { return e.lib.path }

var _ modules.Engine = (*Engine)(nil)
