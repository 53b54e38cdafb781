// Package cable lets tests part a network.
package cable

import (
	"bytes"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// Cable are TCP connections to a server that can be held up and cut.
type Cable struct {
	listener net.Listener
	mu       sync.Mutex
	held     bool
	free     chan struct{} // closed when they are not held
	all      []net.Conn
}

// Lay lays a cable to the server at a URL, nats://HOST:PORT, and returns the URL of its
// near end. It is cut when the test ends.
func Lay(t testing.TB, url string) (*Cable, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &Cable{listener: l, free: make(chan struct{})}
	close(c.free)
	t.Cleanup(func() { l.Close(); c.Cut() })
	to := strings.TrimPrefix(url, "nats://")
	go func() {
		for {
			a, err := l.Accept()
			if err != nil {
				return
			}
			b, err := net.Dial("tcp", to)
			c.mu.Lock()
			held := c.held
			c.all = append(c.all, a)
			if err == nil {
				c.all = append(c.all, b)
			}
			c.mu.Unlock()
			if err != nil || held {
				a.Close()
				continue
			}
			go c.carry(a, b)
			go c.carry(b, a)
		}
	}()
	return c, "nats://" + l.Addr().String()
}

func (c *Cable) carry(to, from net.Conn) {
	defer to.Close()
	buffer := make([]byte, 4096)
	for {
		n, err := from.Read(buffer)
		c.mu.Lock()
		free := c.free
		c.mu.Unlock()
		<-free
		if err != nil {
			return
		}
		if _, err := io.Copy(to, bytes.NewReader(buffer[:n])); err != nil {
			return
		}
	}
}

// Hold lets nothing through, as a network that is parted: no side is told.
func (c *Cable) Hold() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held, c.free = true, make(chan struct{})
}

// Refuse ends all connections, and new ones as soon as they are there.
func (c *Cable) Refuse() {
	c.Hold()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, x := range c.all {
		x.Close()
	}
	c.open()
}

// Cut ends all connections, with what is under way in them, and lets new ones be.
func (c *Cable) Cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, x := range c.all {
		x.Close()
	}
	c.all = nil
	if c.held {
		c.held = false
		c.open()
	}
}

// open lets what is held go on. The lock is held.
func (c *Cable) open() {
	select {
	case <-c.free:
	default:
		close(c.free)
	}
}
