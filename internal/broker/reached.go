package broker

import (
	"context"
	"sync"

	"github.com/ottla/ottla/internal/metadata"
)

// reached wakes those who wait until this node's image has a metadata offset.
type reached struct {
	mu struct {
		sync.Mutex
		next chan struct{} // closed when there is another image
	}
}

func newReached() *reached {
	r := &reached{}
	r.mu.next = make(chan struct{})
	return r
}

// published hears of every image (metadata.Store.Subscribe).
func (r *reached) published(_, _ *metadata.Image, _ *metadata.Changes) {
	r.mu.Lock()
	defer r.mu.Unlock()
	close(r.mu.next)
	r.mu.next = make(chan struct{})
}

func (r *reached) changed() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mu.next
}

// waitForImage waits until an image is as wanted, or ctx is done, and reports whether it is.
func (b *Broker) waitForImage(ctx context.Context, wanted func(*metadata.Image) bool) bool {
	for {
		changed := b.images.changed()
		if wanted(b.store.Current()) {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		case <-b.ctx.Done():
			return false
		}
	}
}

// waitForOffset waits until the image has a metadata offset, or ctx is done.
func (b *Broker) waitForOffset(ctx context.Context, offset int64) {
	b.waitForImage(ctx, func(im *metadata.Image) bool { return im.Offset() >= offset })
}
