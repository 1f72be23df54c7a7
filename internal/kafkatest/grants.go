package kafkatest

import (
	"context"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"errors"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
)

// admin calls do with a client that may do everything.
func (k *SecureKafka) admin(t testing.TB, do func(context.Context, *kafka.Client) error) {
	t.Helper()
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := do(ctx, &kafka.Client{Addr: kafka.TCP(k.Addr()), Transport: transport}); err != nil {
		t.Fatal(err)
	}
}

// GrantTopics lets a user read, write, describe and create topics whose names
// begin with prefix.
func (k *SecureKafka) GrantTopics(t testing.TB, user, prefix string) {
	t.Helper()
	k.grant(t, user, kafka.ResourceTypeTopic, prefix, kafka.ACLOperationTypeRead, kafka.ACLOperationTypeWrite,
		kafka.ACLOperationTypeDescribe, kafka.ACLOperationTypeDescribeConfigs, kafka.ACLOperationTypeCreate)
}

// GrantGroups lets a user join consumer groups whose names begin with prefix.
func (k *SecureKafka) GrantGroups(t testing.TB, user, prefix string) {
	t.Helper()
	k.grant(t, user, kafka.ResourceTypeGroup, prefix, kafka.ACLOperationTypeRead)
}

func (k *SecureKafka) grant(t testing.TB, user string, resource kafka.ResourceType, prefix string, operations ...kafka.ACLOperationType) {
	t.Helper()
	var entries []kafka.ACLEntry
	for _, o := range operations {
		entries = append(entries, kafka.ACLEntry{
			ResourceType: resource, ResourceName: prefix, ResourcePatternType: kafka.PatternTypePrefixed,
			Principal: "User:" + user, Host: "*", Operation: o, PermissionType: kafka.ACLPermissionTypeAllow,
		})
	}
	k.admin(t, func(ctx context.Context, c *kafka.Client) error {
		done, err := c.CreateACLs(ctx, &kafka.CreateACLsRequest{ACLs: entries})
		if err != nil {
			return err
		}
		return errors.Join(done.Errors...)
	})
}

// AddUser lets a user log in by SCRAM-SHA-512.
func (k *SecureKafka) AddUser(t testing.TB, name, password string) {
	t.Helper()
	const iterations = 4096
	salt := []byte(rand.Text())
	salted, err := pbkdf2.Key(sha512.New, password, salt, iterations, sha512.Size)
	if err != nil {
		t.Fatal(err)
	}
	k.admin(t, func(ctx context.Context, c *kafka.Client) error {
		done, err := c.AlterUserScramCredentials(ctx, &kafka.AlterUserScramCredentialsRequest{Upsertions: []kafka.UserScramCredentialsUpsertion{
			{Name: name, Mechanism: kafka.ScramMechanismSha512, Iterations: iterations, Salt: salt, SaltedPassword: salted},
		}})
		if err != nil {
			return err
		}
		for _, r := range done.Results {
			err = errors.Join(err, r.Error)
		}
		return err
	})
}
