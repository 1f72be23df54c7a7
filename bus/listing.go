package bus

import "fmt"

const (
	// maxListed bounds what List keeps in memory, in bytes: whoever may write a table can
	// add any number of records.
	maxListed = 256 << 20
	// overhead is about what a record takes in memory beside its key and value, in bytes.
	overhead = 300
)

// listing is the content of a table.
type listing struct {
	rows  map[string]Message
	bytes int
	most  int
}

func (l *listing) take(m Message) error {
	key := string(m.Key)
	if was, is := l.rows[key]; is {
		l.bytes -= sizeOf(was)
		delete(l.rows, key)
	}
	if len(m.Value) == 0 {
		return nil
	}
	l.rows[key] = m
	if l.bytes += sizeOf(m); l.bytes > l.most {
		return fmt.Errorf("the table %s has more than %d MB in %d keys, more than Frostwatch writes: find out who else does, and remove their keys", m.Topic, l.most>>20, len(l.rows))
	}
	return nil
}

func sizeOf(m Message) int { return len(m.Key) + len(m.Value) + overhead }
