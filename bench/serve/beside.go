package main

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// reload loads the plan anew from time to time and says how often it did.
func (x *target) reload(ctx context.Context, every time.Duration) (n int) {
	if every <= 0 {
		return 0
	}
	for {
		select {
		case <-time.After(every):
			r, err := x.client.Post(x.url+"/v2/repository/models/plan/load", "", nil)
			if err != nil {
				return n
			}
			if r.Body.Close(); r.StatusCode == http.StatusOK {
				n++
			}
		case <-ctx.Done():
			return n
		}
	}
}

// attackers are how many hostile requests may be under way.
const attackers = 64

// hostile sends what nobody should send, n times, spread over d as long as the
// server keeps up, and counts the statuses that came back; "closed" is a
// connection that was cut.
func (x *target) hostile(n int, d time.Duration) map[string]int {
	counts := map[string]int{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	free := make(chan struct{}, attackers)
	rng := rand.New(rand.NewPCG(1, 1))
	began := time.Now()
	for k := range n {
		time.Sleep(time.Until(began.Add(d * time.Duration(k) / time.Duration(n))))
		seed := rng.Uint64()
		free <- struct{}{}
		wg.Go(func() {
			status := x.attack(rand.New(rand.NewPCG(seed, uint64(k))), k%10)
			<-free
			mu.Lock()
			defer mu.Unlock()
			counts[status]++
		})
	}
	wg.Wait()
	return counts
}

// attack sends one hostile request, of one of ten kinds.
func (x *target) attack(rng *rand.Rand, kindOf int) string {
	path, kind, body := "/answer", "application/octet-stream", []byte(nil)
	header := http.Header{}
	switch kindOf {
	case 0: // a picture that says it is huge
		body = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x7f\xff\xff\xff\x7f\xff\xff\xff\x08\x02\x00\x00\x00\xaa\xaa\xaa\xaa")
	case 1: // a picture that is cut off, or wrong somewhere
		body = slices.Clone(x.body)
		for range 5 {
			body[rng.IntN(len(body))] ^= byte(1 + rng.IntN(255))
		}
		body = body[:rng.IntN(len(body))+1]
	case 2: // a shape that is larger than all memory
		path, kind, body = "/v2/models/plan/infer", "application/json", []byte(`{"inputs":[{"name":"image","datatype":"UINT8","shape":[1,4294967296,4294967296,3],"data":[1]}]}`)
	case 3: // lengths that lie
		path, body = "/v2/models/plan/infer", []byte(`{"inputs":[{"name":"image","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":4}}]}`+"\xff\xff\xff\xff")
		header.Set("Inference-Header-Content-Length", strconv.Itoa(len(body)-4))
	case 4: // JSON that is deep
		path, kind, body = "/v2/models/plan/infer", "application/json", []byte(`{"inputs":`+strings.Repeat("[", 20000))
	case 5: // names that lead elsewhere
		path = "/v2/models/..%2f..%2f..%2fetc%2fpasswd/infer"
	case 6: // numbers that are none
		path, kind, body = "/answer", "application/json", []byte(`{"image":NaN}`)
	case 7: // what is no archive
		body = []byte("xxxx")
		header.Set("Content-Encoding", "gzip")
	case 8: // a client that goes away
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(rng.IntN(20))*time.Millisecond)
		defer cancel()
		q, _ := http.NewRequestWithContext(ctx, "POST", x.url+"/v2/models/plan/generate_stream", bytes.NewReader(x.body))
		if r, err := x.client.Do(q); err == nil {
			r.Body.Close()
			return strconv.Itoa(r.StatusCode)
		}
		return "closed"
	case 9: // too many headers
		for k := range 2000 {
			header.Set("X-"+strconv.Itoa(k), strings.Repeat("x", 40))
		}
	}
	q, err := http.NewRequest("POST", x.url+path, bytes.NewReader(body))
	if err != nil {
		return err.Error()
	}
	header.Set("Content-Type", kind)
	q.Header = header
	r, err := x.client.Do(q)
	if err != nil {
		return "closed"
	}
	defer r.Body.Close()
	io.Copy(io.Discard, r.Body)
	return strconv.Itoa(r.StatusCode)
}
