package broker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/wire"
)

// retryInterval is how long the broker waits before it asks the controller again. On a single node the controller is
// there within milliseconds of the first question.
const retryInterval = 2 * time.Millisecond

// imageInterval is how long a try to register waits for the image; then it looks whether the start has failed.
const imageInterval = 100 * time.Millisecond

// register makes this process a broker of the cluster and waits until its image shows it unfenced. From then on
// heartbeats keep it so. Only an image that has this registration is acted upon: what comes before it in the metadata log
// may be long past, and following it would delete the logs of topics that were created again under an old name.
func (b *Broker) register(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, b.options.Config.Duration(config.InitialBrokerRegistrationTimeoutMs))
	defer cancel()
	if err := b.retry(ctx, "register with the controller", b.tryRegister); err != nil {
		return err
	}
	if err := b.retry(ctx, "see its own registration in the metadata log", b.awaitRegistration); err != nil {
		return err
	}
	b.followMetadata()
	if err := b.retry(ctx, "be unfenced by the controller", func() error {
		if err := b.heartbeat(); err != nil {
			return err
		}
		return b.awaitUnfencing()
	}); err != nil {
		return err
	}
	b.tasks.Go(b.keepAlive)
	return nil
}

// awaitRegistration waits for an image that has this registration.
func (b *Broker) awaitRegistration() error {
	ctx, cancel := context.WithTimeout(b.ctx, imageInterval)
	defer cancel()
	if b.waitForImage(ctx, func(im *metadata.Image) bool {
		known := im.Broker(b.node)
		return known != nil && known.IncarnationID == b.incarnation
	}) {
		return nil
	}
	return fmt.Errorf("broker %d has read the metadata log to offset %d, and was registered at %d", b.node, b.store.Current().Offset(), b.epoch.Load())
}

// awaitUnfencing waits for an image in which this broker is unfenced.
func (b *Broker) awaitUnfencing() error {
	ctx, cancel := context.WithTimeout(b.ctx, imageInterval)
	defer cancel()
	if b.waitForImage(ctx, b.unfenced) {
		return nil
	}
	return fmt.Errorf("broker %d is still fenced", b.node)
}

// heartbeatRetry is how soon a heartbeat that failed is repeated.
const heartbeatRetry = 100 * time.Millisecond

// keepAlive sends heartbeats: every broker.heartbeat.interval.ms, when there is something to tell, and when another controller
// has become the active one, which knows of this broker only what the metadata log says.
func (b *Broker) keepAlive() {
	for failures := 0; ; {
		interval := b.config.Load().Duration(config.BrokerHeartbeatIntervalMs)
		if failures > 0 {
			interval = min(interval, heartbeatRetry)
		} else if b.leaving.Load() {
			interval = min(interval, leavingInterval)
		}
		_, changed := b.active.get()
		select {
		case <-b.ctx.Done():
			return
		case <-b.beats:
		case <-changed:
		case <-time.After(interval):
		}
		err := b.heartbeat()
		if err == nil {
			failures = 0
			continue
		}
		if failures++; failures == quietFailures && b.ctx.Err() == nil {
			b.log.Warn("heartbeats to the controller fail", "error", err)
		}
	}
}

// quietFailures is how many heartbeats in a row may fail before that is worth a line in the log: when the active controller
// goes, some do.
const quietFailures = 5

// beat has a heartbeat sent at once.
func (b *Broker) beat() {
	select {
	case b.beats <- struct{}{}:
	default:
	}
}

func (b *Broker) unfenced(image *metadata.Image) bool {
	broker := image.Broker(b.node)
	return broker != nil && broker.IncarnationID == b.incarnation && broker.Active()
}

// retry does something until it succeeds, or cannot, or ctx is done.
func (b *Broker) retry(ctx context.Context, what string, try func() error) error {
	for {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("cannot %s: %w", what, err)
		}
		err := try()
		if err == nil {
			return nil
		}
		if hopeless(err) {
			return fmt.Errorf("cannot %s: %w", what, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("cannot %s: %w; last error: %w", what, ctx.Err(), err)
		case failure := <-b.failed:
			return fmt.Errorf("cannot %s: %w", what, failure)
		case <-time.After(retryInterval):
		}
	}
}

func (b *Broker) tryRegister() error {
	previous, err := b.previousEpoch()
	if err != nil {
		return err
	}
	var rack *string
	if text := b.options.Config.Text(config.BrokerRack); text != "" {
		rack = &text
	}
	rq := &wire.BrokerRegistrationRequest{
		BrokerID: b.node, ClusterID: b.ClusterID(), IncarnationID: b.incarnation, Rack: rack,
		PreviousBrokerEpoch: previous,
	}
	for _, l := range b.advertised() {
		rq.Listeners = append(rq.Listeners, wire.BrokerRegistrationRequestListener{
			Name: l.Name, Host: l.Host, Port: uint16(l.Port), SecurityProtocol: l.Protocol.ID(),
		})
	}
	for _, f := range controller.Features() {
		rq.Features = append(rq.Features, wire.BrokerRegistrationRequestFeature{Name: f.Name, MinSupportedVersion: f.Min, MaxSupportedVersion: f.Max})
	}
	for _, dir := range b.dirs {
		if dir.Failed() == nil {
			rq.LogDirs = append(rq.LogDirs, dir.ID())
		}
	}
	response, err := ask(b, (*controller.Controller).RegisterBroker, rq)
	if err == nil {
		err = refusal("BrokerRegistration", response.ErrorCode)
	}
	if err != nil {
		return err
	}
	b.epoch.Store(response.BrokerEpoch)
	return nil
}

// previousEpoch is the epoch of this broker's last registration if the broker has all that it had then, else -1
// (KIP-966). Kafka may say so only after a clean stop; here what is committed was on stable storage before, so an unclean
// stop loses nothing that counts: but for topics with write.caching=true, and in log directories that are not there any
// more.
func (b *Broker) previousEpoch() (int64, error) {
	settled := make(chan struct{})
	b.publisher.after(func() { close(settled) })
	select {
	case <-settled:
	case <-time.After(imageInterval):
		return -1, errors.New("the metadata log is not read to its end yet")
	}
	image := b.store.Current()
	known := image.Broker(b.node)
	if known == nil || !b.hasDirectories(known) || !b.wasClean() && b.cachedWrites(image) {
		return -1, nil
	}
	return known.Epoch, nil
}

// hasDirectories reports whether all log directories of a registration are there and usable.
func (b *Broker) hasDirectories(known *metadata.Broker) bool {
	return !slices.ContainsFunc(known.LogDirs, func(id kafka.UUID) bool {
		return !slices.ContainsFunc(b.dirs, func(dir *commitlog.Dir) bool { return dir.ID() == id && usable(dir) })
	})
}

// wasClean reports whether the last stop closed all log directories.
func (b *Broker) wasClean() bool {
	return !slices.ContainsFunc(b.dirs, func(dir *commitlog.Dir) bool {
		clean, _ := dir.WasClean()
		return !clean
	})
}

// cachedWrites reports whether this broker may have acknowledged, for a partition that others have, too, what was in the page
// cache only. Of a partition that nobody else has nobody has more.
func (b *Broker) cachedWrites(image *metadata.Image) bool {
	for topic := range image.Topics() {
		if !b.topicConfig(image, topic.Name).Bool(config.TopicWriteCaching) {
			continue
		}
		for _, p := range topic.Partitions {
			if p.IsReplica(b.node) && len(p.Replicas) > 1 {
				return true
			}
		}
	}
	return false
}

// heartbeat tells the controller that this broker lives, how far its image is, and which log directories went offline, are
// short of room, or cordoned.
func (b *Broker) heartbeat() error {
	rq := &wire.BrokerHeartbeatRequest{BrokerID: b.node, BrokerEpoch: b.epoch.Load(), CurrentMetadataOffset: b.store.Current().Offset(), CordonedLogDirs: b.cordonedIDs()}
	var short []kafka.UUID
	for _, dir := range b.dirs {
		switch {
		case dir.ID().IsZero():
		case dir.Failed() != nil:
			rq.OfflineLogDirs = append(rq.OfflineLogDirs, dir.ID())
		case dir.Shortage() != nil:
			short = append(short, dir.ID())
		}
	}
	rq.SetShortLogDirs(short)
	rq.WantShutDown = b.leaving.Load()
	response, err := ask(b, (*controller.Controller).Heartbeat, rq)
	if err != nil {
		return err
	}
	if err := refusal("BrokerHeartbeat", response.ErrorCode); err != nil {
		return err
	}
	now := time.Now()
	b.answered.Store(&now)
	if response.ShouldShutDown {
		b.left.Do(func() { close(b.gone) })
	}
	for _, id := range rq.OfflineLogDirs {
		b.toldOffline.Store(id, true)
	}
	return nil
}
