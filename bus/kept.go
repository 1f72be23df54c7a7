package bus

// maxKept bounds the keys that Keep remembers, in bytes: whoever may write a table can
// add any number of keys.
const maxKept = 64 << 20

// kept is which rows of a table its reader has. A row whose removal was compacted away
// while the table could not be read is in no record any more: it is known by being absent
// when the table has been read anew.
type kept struct {
	rows map[string]int // partition of each row that this reading has shown
	old  map[string]int // of those that only readings before have shown
	size int            // of all their keys, bytes
	most int            // bytes; rows beyond it are forgotten, and so stay with the reader
}

func newKept(most int) *kept {
	return &kept{rows: map[string]int{}, old: map[string]int{}, most: most}
}

// begin begins a reading: what is there has to be shown again.
func (k *kept) begin() {
	for key, partition := range k.rows {
		k.old[key] = partition
	}
	k.rows = map[string]int{}
}

// see takes a record into account.
func (k *kept) see(m Message) {
	key := string(m.Key)
	k.forget(k.old, key)
	k.forget(k.rows, key)
	if cost := len(key) + overhead; len(m.Value) > 0 && k.size+cost <= k.most {
		k.rows[key] = m.Partition
		k.size += cost
	}
}

func (k *kept) forget(rows map[string]int, key string) {
	if _, is := rows[key]; is {
		delete(rows, key)
		k.size -= len(key) + overhead
	}
}

// gone returns a removal for each row that the reading has not shown, once it is
// complete: as of the last record that the row's partition had, where each partition's
// end is next.
func (k *kept) gone(topic string, next []int64) (removals []Message) {
	for key, partition := range k.old {
		m := Message{Topic: topic, Partition: partition, Key: []byte(key)}
		if partition < len(next) {
			m.Offset = max(next[partition]-1, 0)
		}
		removals = append(removals, m)
		k.forget(k.old, key)
	}
	return removals
}
