//go:build linux

package spread_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/connectomewire/wire/internal/natstest"
	"github.com/connectomewire/wire/runtime/experiment"
	"github.com/connectomewire/wire/runtime/spread"
)

// authority makes an authority of one's own, whose certificate is in a file, and a
// server's certificate by it.
func authority(t *testing.T) (file string, of tls.Certificate) {
	t.Helper()
	key := func() *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	root, own := key(), key()
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a lab"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	signed, err := x509.CreateCertificate(rand.Reader, ca, ca, &root.PublicKey, root)
	if err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "server"}, NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, ca, &own.PublicKey, root)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed}), 0o644); err != nil {
		t.Fatal(err)
	}
	return file, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: own}
}

// TestEncrypted: over a server that encrypts, with a certificate of an authority of
// one's own and a token, a coordinator and a worker make an experiment; who does not
// know the authority, or the token, is told so.
func TestEncrypted(t *testing.T) {
	t.Parallel()
	file, of := authority(t)
	s := natstest.Start(t, func(o *server.Options) {
		o.Authorization = "secret"
		o.TLS, o.TLSConfig, o.TLSTimeout = true, &tls.Config{Certificates: []tls.Certificate{of}, MinVersion: tls.VersionTLS12}, 10
	})
	where := s.Addr().String()
	if _, err := spread.Open(t.Context(), "tls://secret@"+where, "", true); err == nil || !strings.Contains(err.Error(), "SSL_CERT_FILE") || strings.Contains(err.Error(), "secret") {
		t.Errorf("an authority that nobody knows: %v", err)
	}
	spec := write(t, 2)
	want := local(t, spec)
	trust := "SSL_CERT_FILE=" + file
	_, lines := begin(t, "TestCoordinatorProcess", trust, serverVariable+"=tls://"+where, specVariable+"="+spec.File())
	await(t, lines, "Authorization Violation")
	_, lines = begin(t, "TestWorkerProcess", trust, serverVariable+"=tls://secret@"+where)
	go drain(lines)
	_, lines = begin(t, "TestCoordinatorProcess", trust, serverVariable+"=tls://secret@"+where, specVariable+"="+spec.File())
	await(t, lines, "ends with <nil>")
	e, err := experiment.New(t.Context(), spec, setup(t, spec))
	if err != nil || len(e.Log.Rows) != 8 {
		t.Fatalf("%d rows: %v", len(e.Log.Rows), err)
	}
	alike(t, want, e)
}
