// Command subscribe prints each alert, and writes the eight pictures of its clip:
// subscribe BROKER FOLDER [COUNT]
//
// It goes on where it stopped, as the consumer group "example-go". With COUNT it ends after
// so many alerts that have pictures.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/segmentio/kafka-go"
	"google.golang.org/protobuf/encoding/protowire"
)

// event is a record on the alerts topic, as far as it is used here: docs/topics/alert.schema.json.
type event struct {
	ID   string `json:"id"`
	Data struct {
		AlertID  string    `json:"alert_id"`
		State    string    `json:"state"`
		Label    string    `json:"label"`
		Evidence *position `json:"evidence"`
	} `json:"data"`
}

type position struct {
	Topic     string `json:"topic"`
	Partition int    `json:"partition"`
	Offset    int64  `json:"offset"`
}

// wait is for how long Kafka may keep a fetch waiting, and so how long a reader's end takes.
const wait = 500 * time.Millisecond

func main() {
	if len(os.Args) < 3 {
		log.Fatal("usage: subscribe BROKER FOLDER [COUNT]")
	}
	count := -1
	if len(os.Args) > 3 {
		count, _ = strconv.Atoi(os.Args[3])
	}
	if err := subscribe(context.Background(), os.Args[1], os.Args[2], count); err != nil {
		log.Fatal(err)
	}
}

func subscribe(ctx context.Context, broker, folder string, count int) error {
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{broker}, GroupID: "example-go", Topic: "frostwatch.alerts", StartOffset: kafka.FirstOffset, MaxWait: wait})
	defer r.Close()
	seen, newest := map[string]bool{}, map[int]int{}
	for count != 0 {
		m, err := r.FetchMessage(ctx)
		if err != nil {
			return fmt.Errorf("read alerts: %w", err)
		}
		var e event
		if g := generation(m); g < newest[m.Partition] {
			continue // its sender had lost the partition, and did not know it yet
		} else {
			newest[m.Partition] = g
		}
		if err := json.Unmarshal(m.Value, &e); err != nil || seen[e.ID] {
			continue // a record may come more than once, with the same id
		}
		seen[e.ID] = true
		fmt.Printf("%s %s %s\n", plain(e.Data.State), plain(e.Data.AlertID), plain(e.Data.Label))
		if at := e.Data.Evidence; e.Data.State == "raised" && at != nil {
			if err := write(ctx, broker, *at, filepath.Join(folder, name(e.Data.AlertID))); err != nil {
				log.Print(err) // the others go on
			}
			count--
		}
		if err := r.CommitMessages(ctx, m); err != nil {
			return fmt.Errorf("commit: %w", err)
		}
	}
	return nil
}

// plain is a text of a record as it may be printed: anybody may have written it.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}

// name is a name for the folder of an alert, which leads nowhere else.
func name(alert string) string {
	name := notPlain.ReplaceAllString(alert, "_")
	return name[:min(len(name), 200)]
}

var notPlain = regexp.MustCompile(`^$|[^A-Za-z0-9_-]`)

func generation(m kafka.Message) int {
	for _, h := range m.Headers {
		if h.Key == "frostwatch-generation" {
			n, _ := strconv.Atoi(string(h.Value))
			return n
		}
	}
	return 0
}

// write writes the pictures of the clip that raised an alert: a copy of it is at the position
// that the alert names.
func write(ctx context.Context, broker string, at position, to string) error {
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{broker}, Topic: at.Topic, Partition: at.Partition, MaxWait: wait})
	defer r.Close()
	err := r.SetOffset(at.Offset)
	if err != nil {
		return fmt.Errorf("find the evidence: %w", err)
	}
	soon, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	m, err := r.ReadMessage(soon)
	if err != nil {
		return fmt.Errorf("read the evidence: %w", err)
	}
	if m.Offset != at.Offset {
		return errors.New("the evidence is no longer kept: Kafka keeps it for 90 days")
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	// A Clip (topics/clip.proto): frames is field 9, and a frame's jpeg field 1.
	for i, frame := range of(m.Value, 9) {
		if i == 8 {
			break
		}
		for _, jpeg := range of(frame, 1) {
			if err := os.WriteFile(filepath.Join(to, fmt.Sprintf("%d.jpg", i+1)), jpeg, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// of are the values of a field of a protobuf message. protoc-gen-go writes a type instead.
func of(message []byte, field protowire.Number) (values [][]byte) {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return values
		}
		message = message[n:]
		if n = protowire.ConsumeFieldValue(number, kind, message); n < 0 {
			return values
		}
		if number == field && kind == protowire.BytesType {
			value, _ := protowire.ConsumeBytes(message)
			values = append(values, value)
		}
		message = message[n:]
	}
	return values
}
