package scoring

import (
	"context"
	"errors"
	"fmt"
)

// embedReferences embeds the next few reference texts; more says whether any are
// left.
func (l *Live) embedReferences(ctx context.Context) (more bool, err error) {
	switch {
	case len(l.References) == 0 || l.refs != nil:
		return false, nil
	case l.refsPass == nil:
		l.refsPass = l.Embeddings.begin(ctx, l.References)
		if n := len(l.refsPass.missing); n > 0 {
			l.Logger.InfoContext(ctx, "reference texts are being embedded, clips are scored after that", "texts", n)
		}
		return true, nil // so that it is reported
	}
	if !l.refsPass.whole() {
		if err := l.refsPass.next(ctx); err != nil {
			return false, fmt.Errorf("reference texts: %w", err)
		}
		return true, nil
	}
	if l.refs, err = NewReferences(l.References, l.refsPass.vectors); err != nil {
		return false, err
	}
	l.Embeddings.keepUsed(ctx, l.References)
	l.publishReferences(ctx, true)
	l.serveAll()
	return false, nil
}

// publishReferences stores the reference texts in Redis, or only where Redis has lost
// them. It is repeated with the renewal of what is in use.
func (l *Live) publishReferences(ctx context.Context, renew bool) {
	if l.refs == nil {
		return
	}
	if err := publishReferences(ctx, l.Embeddings.Client, l.Embeddings.Prefix, l.refs, renew); err != nil && ctx.Err() == nil {
		l.Logger.DebugContext(ctx, "embeddings: other processes can't score the past yet", "error", err)
	}
}

// waits is why nothing is served yet.
func (l *Live) waits() error {
	if p := l.refsPass; p != nil && l.refs == nil {
		return fmt.Errorf("reference texts are being embedded: %d of %d are left", len(p.missing), len(l.References))
	}
	return errors.New("no vocabulary is embedded yet")
}

// embedBases embeds the next few base classes; more says whether any are left. It
// takes only a few at a time because an edit has to wait for its end. Labels get
// their nearest base class when all are embedded.
func (l *Live) embedBases(ctx context.Context) (more bool, err error) {
	switch {
	case len(l.BaseClasses) == 0 || l.basesDone:
		return false, nil
	case l.basesPass == nil:
		l.basesPass = l.Embeddings.begin(ctx, l.BaseClasses)
	}
	if !l.basesPass.whole() {
		if err := l.basesPass.next(ctx); err != nil {
			return false, fmt.Errorf("base classes: %w", err)
		}
	}
	if !l.basesPass.whole() {
		return true, nil
	}
	l.known.add(l.basesPass.vectors)
	l.bases, l.basesDone = l.bases.embedded(l.BaseClasses, l.basesPass.vectors), true
	l.serveAll()
	l.Embeddings.keepUsed(ctx, l.BaseClasses)
	return false, nil
}
