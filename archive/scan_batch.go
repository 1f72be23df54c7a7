package archive

import (
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// batches calls fn for the rows of the range from an offset on, those of one page of
// embeddings at a time.
func (c *columns) batches(g Range, from int64, fn func(Batch) error) error {
	var first, last []byte
	if g.Ends {
		first, last = c.first.spread(2*c.dims), c.last.spread(2*c.dims)
	}
	begin := 0
	for _, p := range c.vectors.pages {
		b, err := c.batch(g, from, begin, p, first, last)
		if err != nil {
			return err
		}
		if err := fn(b); err != nil {
			return err
		}
		begin += p.rows
		if g.Ends {
			first, last = first[2*c.dims*p.rows:], last[2*c.dims*p.rows:]
		}
	}
	return nil
}

// batch is the rows of a page, of which the first is row begin of the segment, as are
// first and last. Vectors are moved together in place.
func (c *columns) batch(g Range, from int64, begin int, p page, first, last []byte) (Batch, error) {
	c.rows = c.rows[:0]
	c.views.begin()
	size, read, write := 2*c.dims, 0, 0
	for i := range p.rows {
		if p.missing != nil && p.missing[i] {
			continue
		}
		vector := p.raw[read : read+size]
		read += size
		row := begin + i
		end := time.Unix(0, c.ends[row]).UTC()
		if c.offsets[row] < from || !g.time(end) || !c.wanted(g, c.cameras[row]) {
			continue
		}
		if write < read-size {
			copy(p.raw[write:], vector)
		}
		if g.Ends {
			copy(first[write:], first[i*size:(i+1)*size])
			copy(last[write:], last[i*size:(i+1)*size])
		}
		write += size
		c.rows = append(c.rows, c.row(row, end))
		if c.views.read {
			if err := c.views.add(len(c.rows)-1, row, 2*c.dims, g.Ends); err != nil {
				return Batch{}, err
			}
		}
	}
	b := Batch{Dims: c.dims, Embeddings: p.raw[:write], Rows: c.rows, Views: c.views.end(len(c.rows))}
	if g.Ends {
		b.First, b.Last = first[:write], last[:write]
	}
	return b, nil
}

func (c *columns) row(i int, end time.Time) Row {
	row := Row{
		Camera: c.cameras[i], Sequence: uint64(c.sequences[i]), Start: time.Unix(0, c.starts[i]).UTC(), End: end,
		Model: c.models[i], LogitScale: c.scales[i], Offset: c.offsets[i], Time: time.Unix(0, c.times[i]).UTC(),
	}
	if !c.noEpoch[i] {
		row.Epoch = time.Unix(0, c.epochs[i]).UTC()
	}
	if len(c.hashes) > 0 {
		row.References = topics.References{Hash: c.hashes[i], Logit: c.logits[i]}
	}
	return row
}
