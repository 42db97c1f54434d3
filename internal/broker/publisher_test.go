package broker

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

// metadataBatch is a committed batch of the metadata log with one record.
func metadataBatch(t *testing.T, offset int64, value []byte) record.Batch {
	t.Helper()
	builder := record.NewBuilder(record.BatchOptions{})
	builder.Add(1, nil, value)
	batch, err := builder.Build()
	if err != nil {
		t.Fatal(err)
	}
	batch.SetBaseOffset(offset)
	return batch
}

func topicRecord(t *testing.T, name string) []byte {
	t.Helper()
	value, err := wire.EncodeMetadataRecord(&wire.TopicRecord{Name: name, TopicID: kafka.NewUUID()}, 0)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// What cannot be understood is told, and no image without it is published: its topics would seem to be deleted. Who waits
// for the image is called all the same.
func TestNothingIsPublishedAfterARecordThatIsNotUnderstood(t *testing.T) {
	nonsense := []byte("nonsense")
	for name, bring := range map[string]func(*publisher){
		"batch": func(p *publisher) {
			p.commit(metadataBatch(t, 1, nonsense))
			p.commit(metadataBatch(t, 2, topicRecord(t, "after")))
		},
		"snapshot": func(p *publisher) {
			batches := []record.Batch{metadataBatch(t, 9, nonsense), metadataBatch(t, 9, topicRecord(t, "after"))}
			p.load(10, 1, slices.Values(batches))
		},
	} {
		t.Run(name, func(t *testing.T) {
			failures := make(chan error, 10)
			store := metadata.NewStore(metadata.Empty("cluster"))
			p := newPublisher(store, slog.New(slog.DiscardHandler), func(err error) { failures <- err })
			p.catchUp()
			p.commit(metadataBatch(t, 0, topicRecord(t, "before")))
			published := make(chan struct{})
			p.after(func() { close(published) })
			<-published
			bring(p)
			settled := make(chan struct{})
			p.after(func() { close(settled) })
			<-settled
			p.close()
			if len(failures) != 1 {
				t.Errorf("%d failures, want 1", len(failures))
			}
			if im := store.Current(); im.Offset() != 0 || im.Topic("before") == nil || im.Topic("after") != nil {
				t.Errorf("the image went on to offset %d", im.Offset())
			}
		})
	}
}

// An image of long ago is never published: by a topic's old id, or an old leader epoch, partitions would delete what is newer.
func TestNothingIsPublishedBeforeAllThatWasCommitted(t *testing.T) {
	store := metadata.NewStore(metadata.Empty("cluster"))
	images := make(chan int64, 10)
	store.Subscribe(func(_, next *metadata.Image, _ *metadata.Changes) { images <- next.Offset() })
	p := newPublisher(store, slog.New(slog.DiscardHandler), func(err error) { t.Error(err) })
	settled := make(chan struct{})
	for offset := range int64(5) {
		p.commit(metadataBatch(t, offset, topicRecord(t, fmt.Sprint("topic-", offset))))
		if offset == 2 {
			p.after(func() { close(settled) })
		}
		runtime.Gosched() // to the publisher's goroutine
	}
	p.catchUp()
	<-settled
	p.close()
	close(images)
	if offsets := slices.Collect(received(images)); !slices.Equal(offsets, []int64{-1, 4}) {
		t.Errorf("the images end at offsets %v, want that of the beginning and 4", offsets)
	}
}

// received yields what is in a closed channel.
func received[T any](from <-chan T) iter.Seq[T] {
	return func(yield func(T) bool) {
		for x := range from {
			if !yield(x) {
				return
			}
		}
	}
}

// A start that fails before that publishes nothing either; who waits is called.
func TestNothingIsPublishedAtAnEarlyEnd(t *testing.T) {
	store := metadata.NewStore(metadata.Empty("cluster"))
	p := newPublisher(store, slog.New(slog.DiscardHandler), func(err error) { t.Error(err) })
	p.commit(metadataBatch(t, 0, topicRecord(t, "old")))
	settled := make(chan struct{})
	p.after(func() { close(settled) })
	p.close()
	<-settled
	if store.Current().Topic("old") != nil {
		t.Error("the image of an unfinished start was published")
	}
}

// Without their metadata log partitions would all seem to be deleted, so the broker does not begin a new one beside them.
func TestRefusesPartitionsWithoutTheirMetadataLog(t *testing.T) {
	disk := vfs.NewMemory()
	b := start(t, disk)
	createTopic(t, b, "kept", 1)
	stop(t, b)
	if err := disk.RemoveAll("/data/__cluster_metadata-0"); err != nil {
		t.Fatal(err)
	}
	_, err := Start(context.Background(), options(t, disk))
	if err == nil || !strings.Contains(err.Error(), "metadata log __cluster_metadata-0") {
		t.Fatalf("start: %v", err)
	}
	if _, err := disk.Stat("/data/kept-0"); err != nil {
		t.Error(err)
	}
}
