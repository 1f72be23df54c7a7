package embedded

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/frostwatch/frostwatch/internal/pause"
)

// Bound keeps a folder below a size. The zero value bounds nothing.
type Bound struct {
	Folder string   // whose size counts; the broker's files are in it
	Most   int64    // bytes
	Gives  []string // topics whose oldest records make room, in this order
}

const (
	// fullPercent of the bound is where records begin to make room: whole files do, and what
	// comes within a minute has to fit.
	fullPercent   = 95
	nearlyPercent = 85
	// gaveLately is for how long it is said that records have made room.
	gaveLately = 6 * time.Hour
	// closePercent is from where on the folder is looked at nearEvery as often: what comes
	// between two looks has to fit.
	closePercent = 70
	nearEvery    = 12
)

// bounded is a Bound that is kept.
type bounded struct {
	Bound
	gave   map[string]time.Time // by topic: when records made room last
	oldest map[string]time.Time // by topic: from when on records are left
	state  atomic.Pointer[error]
	size   atomic.Int64 // of the folder at the last look
}

// close is whether the folder may be full before the next look.
func (b *bounded) close() bool { return b.size.Load() > b.Most/100*closePercent }

// warning is what there is to say of the folder's size, nil if nothing.
func (b *bounded) warning() error {
	if said := b.state.Load(); said != nil {
		return *said
	}
	return nil
}

// keepBelow makes room where the folder has become too large, a file at a time. What is
// written to at the moment stays.
func (b *Broker) keepBelow() {
	size := SizeOf(b.bound.Folder)
	over := size - b.bound.Most/100*fullPercent
	for _, topic := range b.bound.Gives {
		if over <= 0 {
			break
		}
		freed, err := b.give(topic, over)
		if err != nil {
			b.log.Warn("broker: make room", "topic", topic, "error", err)
		}
		over, size = over-freed, size-freed
	}
	said := b.bound.say(size, over, time.Now())
	if free, _, err := b.disk.space(b.bound.Folder); err == nil && said == nil && size+free < b.bound.Most {
		said = fmt.Errorf("--size allows %s %s, and its disk has room for %s: the disk will be full first; lower --size, or free %s", b.bound.Folder, inBytes(b.bound.Most), inBytes(size+free), inBytes(b.bound.Most-size-free))
	}
	b.bound.size.Store(size)
	b.bound.state.Store(&said)
}

// keepBound looks at the folder's size until ctx ends, more often when it is close to its bound.
func (b *Broker) keepBound(ctx context.Context, every time.Duration) {
	if b.bound.Most == 0 {
		return
	}
	for more := true; more; {
		b.tidying.Lock()
		b.keepBelow()
		b.tidying.Unlock()
		wait := every
		if b.bound.close() {
			wait /= nearEvery
		}
		more = pause.For(ctx, wait)
	}
}

// Data is how large the bounded folder was at the last look, bytes; 0 where nothing is bounded.
func (b *Broker) Data() int64 { return b.bound.size.Load() }

func (b *bounded) say(size, over int64, now time.Time) error {
	lately := func() (text string) {
		for _, topic := range b.Gives {
			if at, has := b.gave[topic]; has && now.Sub(at) < gaveLately {
				text += fmt.Sprintf("; of %s what is older than %s made room", topic, b.oldest[topic].UTC().Format(time.DateTime))
			}
		}
		return text
	}()
	switch {
	case over > 0:
		return fmt.Errorf("%s takes %s, more than the %s of --size leaves room for, and nothing more can make room: raise it, or lower archive.retention.size or ingest.packets.total%s", b.Folder, inBytes(size), inBytes(b.Most), lately)
	case lately != "":
		return fmt.Errorf("%s is as large as --size allows (%s): raise it to keep more%s", b.Folder, inBytes(b.Most), lately)
	case size > b.Most/100*nearlyPercent:
		return fmt.Errorf("%s takes %s of the %s that --size allows: when it is full, the oldest records of %s make room first", b.Folder, inBytes(size), inBytes(b.Most), b.Gives[0])
	}
	return nil
}

// file is one of a partition's files, which can be deleted.
type file struct {
	partition int32
	next      int64 // the first offset after it
	size      int64
	written   time.Time
}

// give deletes the oldest files of a topic, of whatever partition, until as many bytes are
// freed or none is left.
func (b *Broker) give(topic string, want int64) (freed int64, err error) {
	files, err := filesOf(b.disk.dir, topic)
	if err != nil || len(files) == 0 {
		return 0, err
	}
	slices.SortStableFunc(files, func(a, b file) int { return cmp.Or(a.written.Compare(b.written), cmp.Compare(a.next, b.next)) })
	from := map[int32]int64{}
	for _, f := range files {
		if freed >= want {
			break
		}
		from[f.partition], freed = max(from[f.partition], f.next), freed+f.size
		b.bound.oldest[topic] = f.written
	}
	if err := b.deleteRecords(topic, from); err != nil {
		return 0, err
	}
	b.bound.gave[topic] = time.Now()
	return freed, nil
}

// filesOf are the files of a topic that are not written to any more.
func filesOf(dir, topic string) (files []file, err error) {
	list, err := readTopics(filepath.Join(dir, topicsFile), false)
	if err != nil {
		return nil, err
	}
	for _, t := range list.Topics {
		if t.Name != topic {
			continue
		}
		for p := range t.Partitions {
			folder := filepath.Join(dir, partitions, folderOf(topic, p))
			bases, err := logsIn(folder)
			if err != nil {
				return nil, err
			}
			for i := range max(len(bases)-1, 0) {
				info, err := os.Stat(logPath(folder, bases[i]))
				if err != nil {
					continue // retention has deleted it meanwhile
				}
				f := file{partition: int32(p), next: bases[i+1], size: info.Size(), written: info.ModTime()}
				if index, err := os.Stat(filepath.Join(folder, strconv.FormatInt(bases[i], 10)+indexEnding)); err == nil {
					f.size += index.Size()
				}
				files = append(files, f)
			}
		}
	}
	return files, nil
}

// deleteRecords deletes what is before an offset of each partition.
func (b *Broker) deleteRecords(topic string, from map[int32]int64) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := kgo.NewClient(kgo.SeedBrokers(b.Addr()))
	if err != nil {
		return fmt.Errorf("delete records: %w", err)
	}
	defer c.Close()
	req := kmsg.NewPtrDeleteRecordsRequest()
	t := kmsg.NewDeleteRecordsRequestTopic()
	t.Topic = topic
	for partition, offset := range from {
		p := kmsg.NewDeleteRecordsRequestTopicPartition()
		p.Partition, p.Offset = partition, offset
		t.Partitions = append(t.Partitions, p)
	}
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(ctx, c)
	if err != nil {
		return fmt.Errorf("delete records: %w", err)
	}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return fmt.Errorf("delete records of partition %d: %w", p.Partition, err)
			}
		}
	}
	return nil
}
