package kafkatest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// The users of a SecureKafka. Alice may do everything; Mallory can log in, and may
// do what a test allows.
const (
	Alice           = "alice"
	AlicePassword   = "alice-secret"
	Mallory         = "mallory"
	MalloryPassword = "mallory-secret"
)

// SecureKafka is a real Kafka with logins, TLS and access control. At Addr anyone
// may do everything, to set it up.
type SecureKafka struct {
	*Kafka
	SASL    string // address that takes PLAIN and SCRAM logins, in clear
	TLS     string // address that wants TLS and a client's certificate
	SASLTLS string // address that wants TLS and a login
	Mutual  string // address that wants TLS, a client's certificate and a login by SCRAM-SHA-512
	CA      string // files, PEM
	Cert    string // of the client
	Key     string
}

// NewSecureKafka starts one.
func NewSecureKafka(t testing.TB) *SecureKafka {
	t.Helper()
	k := &SecureKafka{Kafka: prepare(t)}
	ports := [4]int{freePort(t), freePort(t), freePort(t), freePort(t)}
	address := func(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
	k.SASL, k.TLS, k.SASLTLS, k.Mutual = address(ports[0]), address(ports[1]), address(ports[2]), address(ports[3])
	k.certify(t)
	text := k.properties() + fmt.Sprintf(secureProperties, k.port, ports[0], ports[1], ports[2], k.controller, k.dir, ports[3])
	scram := func(mechanism string) string {
		return fmt.Sprintf("%s=[name=%s,password=%s]", mechanism, Alice, AlicePassword)
	}
	if err := k.configure(text, "--standalone", "--add-scram", scram("SCRAM-SHA-256"), "--add-scram", scram("SCRAM-SHA-512")); err != nil {
		t.Fatal(err)
	}
	k.Start(t)
	t.Cleanup(func() { k.stop(t) })
	return k
}

// If a key occurs twice, the last one counts.
const secureProperties = `
listeners=PLAINTEXT://127.0.0.1:%[1]d,SASL_PLAINTEXT://127.0.0.1:%[2]d,SSL://127.0.0.1:%[3]d,SASL_SSL://127.0.0.1:%[4]d,MUTUAL://127.0.0.1:%[7]d,CONTROLLER://127.0.0.1:%[5]d
advertised.listeners=PLAINTEXT://127.0.0.1:%[1]d,SASL_PLAINTEXT://127.0.0.1:%[2]d,SSL://127.0.0.1:%[3]d,SASL_SSL://127.0.0.1:%[4]d,MUTUAL://127.0.0.1:%[7]d
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL,MUTUAL:SASL_SSL,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.sasl_plaintext.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="alice-secret" user_mallory="mallory-secret";
listener.name.sasl_plaintext.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="alice-secret" user_mallory="mallory-secret";
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.mutual.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.mutual.sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.mutual.ssl.client.auth=required
ssl.keystore.type=PEM
ssl.keystore.location=%[6]s/broker.pem
ssl.truststore.type=PEM
ssl.truststore.location=%[6]s/ca.pem
listener.name.ssl.ssl.client.auth=required
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:alice;User:CN=client
`

// certify makes an authority, the broker's certificate and the client's.
func (k *SecureKafka) certify(t testing.TB) {
	t.Helper()
	ca, caKey := certificate(t, "authority", nil, nil)
	broker, brokerKey := certificate(t, "broker", ca, caKey)
	client, clientKey := certificate(t, "client", ca, caKey)
	write := func(name string, blocks ...*pem.Block) string {
		t.Helper()
		path := filepath.Join(k.dir, name)
		var out []byte
		for _, b := range blocks {
			out = append(out, pem.EncodeToMemory(b)...)
		}
		if err := os.WriteFile(path, out, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cert := func(c *x509.Certificate) *pem.Block { return &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw} }
	key := func(k *ecdsa.PrivateKey) *pem.Block {
		der, err := x509.MarshalPKCS8PrivateKey(k)
		if err != nil {
			t.Fatal(err)
		}
		return &pem.Block{Type: "PRIVATE KEY", Bytes: der}
	}
	k.CA = write("ca.pem", cert(ca))
	write("broker.pem", key(brokerKey), cert(broker), cert(ca))
	k.Cert, k.Key = write("client.pem", cert(client)), write("client.key", key(clientKey))
}

// certificate makes a certificate that ca signs; nil: it is its own authority.
func certificate(t testing.TB, name string, ca *x509.Certificate, caKey *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	if ca == nil {
		ca, caKey = template, key
		template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca, &key.PublicKey, caKey)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}
