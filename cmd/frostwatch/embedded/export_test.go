package embedded

// Flush brings to the disk what was written, as the broker does every second.
func (b *Broker) Flush() error { return b.flusher.flush() }
