package tlsfiles

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func write(t *testing.T, dir string, serial int64, at time.Time) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: at.Add(time.Hour)}
	made, err := x509.CreateCertificate(rand.Reader, &form, &form, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: made}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, at, at); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// A certificate that was renewed is shown without a restart; half a renewal disturbs nobody.
func TestARenewedCertificateIsShown(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	cert, key := write(t, dir, 1, now)
	k := &kept{cert: cert, key: key}
	serial := func(at time.Time) int64 {
		c, err := k.get(at)
		if err != nil {
			t.Fatal(err)
		}
		return c.Leaf.SerialNumber.Int64()
	}
	if got := serial(now); got != 1 {
		t.Fatalf("serial %d", got)
	}
	write(t, dir, 2, now.Add(time.Second))
	if got := serial(now.Add(2 * lookEvery)); got != 2 {
		t.Errorf("after the renewal serial %d is shown", got)
	}
	if err := os.WriteFile(cert, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := serial(now.Add(4 * lookEvery)); got != 2 {
		t.Errorf("while the file is empty serial %d is shown", got)
	}
	if _, err := Server(cert, key); err == nil {
		t.Error("a server starts without a certificate")
	}
}
