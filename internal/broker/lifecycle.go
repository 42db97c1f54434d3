package broker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/statemachine"
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
	b.followMetadata()
	if err := b.retry(ctx, "be unfenced by the controller", func() error {
		if err := b.heartbeat(); err != nil {
			return err
		}
		if !b.unfenced(b.store.Current()) {
			return fmt.Errorf("broker %d is still fenced", b.node)
		}
		return nil
	}); err != nil {
		return err
	}
	b.tasks.Go(b.keepAlive)
	return nil
}

// keepAlive sends heartbeats, every broker.heartbeat.interval.ms and when there is something to tell.
func (b *Broker) keepAlive() {
	for {
		select {
		case <-b.ctx.Done():
			return
		case <-b.beats:
		case <-time.After(b.config.Load().Duration(config.BrokerHeartbeatIntervalMs)):
		}
		if err := b.heartbeat(); err != nil && b.ctx.Err() == nil {
			b.log.Warn("heartbeat to the controller failed", "error", err)
		}
	}
}

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

// previousEpoch is the epoch of this broker's last registration, -1 if there was none. It says that the broker has
// all that it had then (KIP-966). Kafka may say so only after a clean stop; here what is committed was on stable storage
// before, so an unclean stop loses nothing that counts (but for topics with write.caching=true after a power failure).
func (b *Broker) previousEpoch() (int64, error) {
	settled := make(chan struct{})
	b.publisher.after(func() { close(settled) })
	select {
	case <-settled:
	case <-time.After(imageInterval):
		return -1, errors.New("the metadata log is not read to its end yet")
	}
	if known := b.store.Current().Broker(b.node); known != nil {
		return known.Epoch, nil
	}
	return -1, nil
}

// heartbeat tells the controller that this broker lives, how far its image is, and which log directories went offline or
// are cordoned.
func (b *Broker) heartbeat() error {
	rq := &wire.BrokerHeartbeatRequest{BrokerID: b.node, BrokerEpoch: b.epoch.Load(), CurrentMetadataOffset: b.store.Current().Offset(), CordonedLogDirs: b.cordonedIDs()}
	for _, dir := range b.dirs {
		if dir.Failed() != nil && !dir.ID().IsZero() {
			rq.OfflineLogDirs = append(rq.OfflineLogDirs, dir.ID())
		}
	}
	response, err := ask(b, (*controller.Controller).Heartbeat, rq)
	if err != nil {
		return err
	}
	if err := refusal("BrokerHeartbeat", response.ErrorCode); err != nil {
		return err
	}
	for _, id := range rq.OfflineLogDirs {
		b.toldOffline.Store(id, true)
	}
	return nil
}

// ask has the controller decide one request and waits for the answer, until this broker's image has its effect.
func ask[Q, R any](b *Broker, decide func(*controller.Controller, time.Time, Q, controller.Reply[R]) statemachine.Output, request Q) (R, error) {
	type result struct {
		response R
		err      error
	}
	answer := make(chan result, 1)
	engine, err := b.controller.engine()
	if err != nil {
		var none R
		return none, err
	}
	engine.Do(func(c *controller.Controller, now time.Time) statemachine.Output {
		return decide(c, now, request, func(response R, err error) {
			b.publisher.after(func() { answer <- result{response, err} })
		})
	}, func(err error) { answer <- result{err: err} })
	select {
	case r := <-answer:
		return r.response, r.err
	case <-b.ctx.Done():
		var none R
		return none, b.ctx.Err()
	}
}
