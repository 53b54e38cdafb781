package spread

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Link is a connection to a NATS server, which may be in this process.
type Link struct {
	nc     *nats.Conn
	js     jetstream.JetStream
	server *server.Server
	URL    string // of the server, without what lets one in
}

// address says where a server is, or is to be.
type address struct {
	url   string   // of a server that runs, or of several of a cluster; "" for one of our own
	shown []string // the same without what lets one in
	host  string
	port  int
	token string
}

// CheckAddress says what is wrong with an address, see [Open].
func CheckAddress(where string) error {
	_, err := parseAddress(where)
	return err
}

func parseAddress(where string) (address, error) {
	if strings.Contains(where, "://") {
		a := address{url: where}
		for _, one := range strings.Split(where, ",") {
			shown, err := checkURL(one)
			if err != nil {
				return address{}, err
			}
			a.shown = append(a.shown, shown)
		}
		return a, nil
	}
	a := address{}
	at := strings.LastIndexByte(where, '@')
	if at >= 0 {
		a.token = where[:at]
	}
	host, port, err := net.SplitHostPort(where[at+1:])
	if err == nil {
		a.host = host
		a.port, err = strconv.Atoi(port)
	}
	if err != nil || a.port < 0 || a.port > 65535 || host == "" {
		return address{}, errors.New("want the URL of a server, nats://HOST:4222, or where to run one, 127.0.0.1:4222 or TOKEN@HOST:4222")
	}
	ip, err := netip.ParseAddr(host)
	if loopback := host == "localhost" || err == nil && ip.IsLoopback(); !loopback && a.token == "" {
		return address{}, fmt.Errorf("a server at %s can be reached by strangers: give it a token, TOKEN@%s", host, where)
	}
	return a, nil
}

// checkURL checks a server's URL and returns it without what lets one in.
func checkURL(s string) (string, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return "", errors.New("no URL such as nats://HOST:4222")
	case u.Scheme != "nats" && u.Scheme != "tls" && u.Scheme != "ws" && u.Scheme != "wss":
		return "", fmt.Errorf("%s:// is no server of NATS; want nats://, tls://, ws:// or wss://", u.Scheme)
	case u.Hostname() == "":
		return "", errors.New("the URL names no host; want nats://HOST:4222")
	}
	u.User = nil
	return u.String(), nil
}

// Open connects to the server at a URL such as nats://HOST:4222, with a user's name
// and password or a token before the host where it wants them, or to one of several of
// a cluster, with commas between them. Where it is HOST:PORT
// it runs a server there, with what it keeps in the directory store; port 0 is any.
// One that other machines can reach takes a token, TOKEN@HOST:PORT. wait lets a
// server that is not there yet come; else that is an error.
func Open(ctx context.Context, where, store string, wait bool) (*Link, error) {
	a, err := parseAddress(where)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	l := &Link{}
	options := []nats.Option{
		nats.Name("wire"), nats.MaxReconnects(-1), nats.ReconnectWait(250 * time.Millisecond), nats.ReconnectJitter(100*time.Millisecond, 100*time.Millisecond),
		nats.PingInterval(10 * time.Second), nats.MaxPingsOutstanding(2),
	}
	if a.url == "" {
		if l.server, err = serve(a, store); err != nil {
			return nil, fmt.Errorf("run a server at %s: %w", net.JoinHostPort(a.host, strconv.Itoa(a.port)), err)
		}
		a.url, l.URL = l.server.ClientURL(), l.server.ClientURL()
		options = append(options, nats.InProcessServer(l.server))
		if a.token != "" {
			options = append(options, nats.Token(a.token))
		}
	} else {
		l.URL = strings.Join(a.shown, ",")
	}
	if l.nc, err = connect(ctx, a.url, options, wait); err == nil {
		l.js, err = jetstream.New(l.nc)
	}
	if err != nil {
		l.Close()
		if unknown := (x509.UnknownAuthorityError{}); errors.As(err, &unknown) {
			err = fmt.Errorf("%w; where it is an authority of your own, name the file of its certificate in the variable SSL_CERT_FILE (on Linux; elsewhere add it to the system's)", err)
		}
		return nil, fmt.Errorf("connect to %s: %w", l.URL, err)
	}
	return l, nil
}

// connect connects, again and again where it waits.
func connect(ctx context.Context, url string, options []nats.Option, wait bool) (*nats.Conn, error) {
	for {
		nc, err := nats.Connect(url, options...)
		if err == nil || !wait || !errors.Is(err, nats.ErrNoServers) {
			return nc, err
		}
		if !pause(ctx, 500*time.Millisecond) {
			return nil, context.Cause(ctx)
		}
	}
}

// serve runs a server with JetStream in this process.
func serve(a address, store string) (*server.Server, error) {
	port := a.port
	if port == 0 {
		port = server.RANDOM_PORT
	}
	s, err := server.NewServer(&server.Options{
		ServerName: "wire", Host: a.host, Port: port, JetStream: true, StoreDir: store,
		Authorization: a.token, NoLog: true, NoSigs: true, NoSystemAccount: false,
	})
	if err != nil {
		return nil, err
	}
	// What goes wrong as it starts is told to its log only.
	var l lastError
	s.SetLoggerV2(&l, false, false, false)
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		s.Shutdown()
		if why := l.text(); why != "" {
			return nil, errors.New(why)
		}
		return nil, errors.New("it does not start")
	}
	return s, nil
}

// Close ends the connection, and the server that [Open] ran.
func (l *Link) Close() {
	if l.nc != nil {
		l.nc.Close()
	}
	if l.server != nil {
		l.server.Shutdown()
		l.server.WaitForShutdown()
	}
}

// pause waits; false when the context ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
