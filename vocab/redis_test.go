package vocab

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/internal/tlsfiles"
)

func connect(t *testing.T, o RedisOptions) *redis.Client {
	t.Helper()
	c, err := Connect(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestConnect(t *testing.T) {
	certs := redistest.MakeCertificates(t)
	plain := redistest.Start(t, "--requirepass", "hunter2")
	withUser := redistest.Start(t, redistest.DocumentedUser(t, "../docs/vocabulary.md", "secret", "f:")...)
	secure := redistest.StartTLS(t, certs)
	tls := func(change func(*tlsfiles.Options)) RedisOptions {
		o := tlsfiles.Options{CA: certs.CA, Cert: certs.ClientCert, Key: certs.ClientKey, ServerName: redistest.ServerName}
		change(&o)
		return RedisOptions{Address: secure.Addr, TLS: &o}
	}
	for _, c := range []struct {
		name string
		o    RedisOptions
		want string // part of the error; "": no error
	}{
		{"password", RedisOptions{Address: plain.Addr, Password: "hunter2"}, ""},
		{"another database", RedisOptions{Address: plain.Addr, Password: "hunter2", Database: 3}, ""},
		{"wrong password", RedisOptions{Address: plain.Addr, Password: "hunter3"}, "WRONGPASS"},
		{"no password", RedisOptions{Address: plain.Addr}, "NOAUTH"},
		{"user", RedisOptions{Address: withUser.Addr, Username: "frostwatch", Password: "secret"}, ""},
		{"user with a wrong password", RedisOptions{Address: withUser.Addr, Username: "frostwatch", Password: "x"}, "WRONGPASS"},
		{"TLS", tls(func(*tlsfiles.Options) {}), ""},
		{"TLS by the host's name", tls(func(o *tlsfiles.Options) { o.ServerName = "" }), ""},
		{"another name in the certificate", tls(func(o *tlsfiles.Options) { o.ServerName = "other.example" }), "other.example"},
		{"an authority that does not vouch", tls(func(o *tlsfiles.Options) { o.CA = "" }), "certificate signed by unknown authority"},
		{"no client certificate", tls(func(o *tlsfiles.Options) { o.Cert, o.Key = "", "" }), "certificate required"},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := connect(t, c.o)
			store := NewStore(client, "f:")
			err := store.Put(t.Context(), "default", Label{Name: "fall"}, Label{Name: "run"})
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Fatalf("got %v, want %q", err, c.want)
				}
				if strings.Contains(err.Error(), "hunter") {
					t.Errorf("the error shows the password: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			w := watch(t, &redistest.Server{Client: client}, quick)
			w.awaitLabels(t, "fall", "run")
			if _, err := store.Remove(t.Context(), "default", "run"); err != nil {
				t.Fatal(err)
			}
			w.awaitLabels(t, "fall")
			w.awaitHealth(t, "")
		})
	}
}

func TestOptionsOfConnect(t *testing.T) {
	certs := redistest.MakeCertificates(t)
	for _, c := range []struct {
		name string
		o    RedisOptions
		want string
	}{
		{"no such authority", RedisOptions{TLS: &tlsfiles.Options{CA: "/nowhere.pem"}}, "redis.tls.ca: open /nowhere.pem"},
		{"no certificate in it", RedisOptions{TLS: &tlsfiles.Options{CA: certs.ServerKey}}, "holds no certificate in PEM"},
		{"half a certificate", RedisOptions{TLS: &tlsfiles.Options{Cert: certs.ClientCert}}, "needs both cert and key"},
		{"a key that does not fit", RedisOptions{TLS: &tlsfiles.Options{Cert: certs.ClientCert, Key: certs.ServerKey}}, "read the client certificate"},
		{"sentinel without addresses", RedisOptions{Sentinel: &SentinelOptions{Master: "m"}}, "needs the name of the master and addresses of sentinels"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if client, err := Connect(c.o); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, %v; want %q", client, err, c.want)
			}
		})
	}
}

func TestSentinelFailsOver(t *testing.T) {
	master := redistest.Start(t)
	_, port, _ := strings.Cut(master.Addr, ":")
	replica := redistest.Start(t, "--replicaof", "127.0.0.1 "+port, "--repl-diskless-sync-delay", "0")
	sentinel := redistest.StartSentinel(t, "watched", master)
	set(t, master, "fall", "", "run", "")
	ctx := t.Context()
	stagetest.Await(t, "the replica's copy", func() bool { return replica.Client.HLen(ctx, "f:vocab:default").Val() == 2 })
	asking := redis.NewSentinelClient(sentinel.Client.Options())
	t.Cleanup(func() { _ = asking.Close() })
	stagetest.Await(t, "the sentinel knows the replica", func() bool {
		replicas, err := asking.Replicas(ctx, "watched").Result()
		return err == nil && len(replicas) == 1
	})
	client := connect(t, RedisOptions{Sentinel: &SentinelOptions{Master: "watched", Addresses: []string{sentinel.Addr}}})
	w := watch(t, &redistest.Server{Client: client}, quick)
	w.awaitLabels(t, "fall", "run")
	began := time.Now()
	master.Kill()
	store := NewStore(client, "f:")
	stagetest.Await(t, "an edit on the new master", func() bool { return store.Put(ctx, "default", Label{Name: "wave"}) == nil })
	t.Logf("an edit was taken %v after the master had ended", time.Since(began).Round(100*time.Millisecond))
	w.awaitLabels(t, "fall", "run", "wave")
	w.awaitHealth(t, "")
	if got := replica.Client.HKeys(ctx, "f:vocab:default").Val(); !slices.Contains(got, "wave") {
		t.Errorf("the replica holds %q", got)
	}
}
