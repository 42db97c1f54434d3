package tools

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// An admin is a client for Kafka's administrative requests. Like Kafka's own, it goes on trying until
// default.api.timeout.ms is over, so a tool may be started before the broker answers.
type admin struct {
	client    *kgo.Client
	timeout   time.Duration
	backoff   time.Duration
	connected atomic.Bool
	apis      map[int16]int16 // highest version of each API, once asked
	// controllers is set for --bootstrap-controller; requests go to the active one.
	controllers *controllers
}

// newAdmin connects lazily: that a broker cannot be reached shows in the first call.
func (inv *invocation) newAdmin(s *settings, bootstrap, clientID string) (*admin, error) {
	s.values["bootstrap.servers"] = bootstrap
	a := &admin{
		timeout: s.millisecondsOf(32, "default.api.timeout.ms", time.Minute),
		backoff: max(s.milliseconds("retry.backoff.ms", 100*time.Millisecond), 10*time.Millisecond),
	}
	opts := s.connection()
	opts = append(opts,
		kgo.ClientID(s.text("client.id", clientID)),
		kgo.RetryTimeout(a.timeout),
		kgo.MaxVersions(offsetsByName()),
		kgo.WithHooks(&connectHook{log: inv.log(), reached: &a.connected}))
	switch {
	case s.typed:
		return nil, s.err
	case s.err != nil:
		return nil, &exception{class: "org.apache.kafka.common.KafkaException",
			message: "Failed to create new KafkaAdminClient", cause: s.err}
	}
	inv.warnUnused(s)
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, kafkaException("Failed to create new KafkaAdminClient: " + err.Error())
	}
	a.client = client
	return a, nil
}

// offsetsByName keeps OffsetCommit and OffsetFetch below version 10, from which on they name topics by id: a group may have offsets
// of topics that nobody can name any more.
func offsetsByName() *kversion.Versions {
	versions := new(kversion.Versions)
	for key := range int16(kmsg.MaxKey + 1) {
		if rq := kmsg.RequestForKey(key); rq != nil {
			versions.SetMaxKeyVersion(key, rq.MaxVersion())
		}
	}
	versions.SetMaxKeyVersion(int16(kmsg.OffsetCommit), 9)
	versions.SetMaxKeyVersion(int16(kmsg.OffsetFetch), 9)
	return versions
}

func (a *admin) close() {
	if a.controllers != nil {
		a.controllers.close()
	}
	a.client.Close()
}

// call sends a request, and again while no broker can be reached, until the time limit; name is the call's name in
// Kafka's Admin, which its timeouts mention.
func (a *admin) call(name string, request kmsg.Request) (kmsg.Response, error) {
	return a.callWithin(a.timeout, name, request)
}

func (a *admin) callWithin(limit time.Duration, name string, request kmsg.Request) (kmsg.Response, error) {
	return a.try(limit, name, func(ctx context.Context) (kmsg.Response, error) {
		if a.controllers != nil {
			return a.controllers.request(ctx, request)
		}
		return a.client.Request(ctx, request)
	})
}

// callBroker is call for a request that only one node can answer.
func (a *admin) callBroker(id int32, name string, request kmsg.Request) (kmsg.Response, error) {
	return a.try(a.timeout, name, func(ctx context.Context) (kmsg.Response, error) {
		if a.controllers != nil {
			return a.controllers.requestOf(ctx, id, request)
		}
		return a.client.Broker(int(id)).RetriableRequest(ctx, request)
	})
}

// try calls f until it succeeds, or cannot, or the limit is over.
func (a *admin) try(limit time.Duration, name string, f func(context.Context) (kmsg.Response, error)) (kmsg.Response, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	unknown := false // the node that was asked last
	for {
		response, err := f(ctx)
		switch {
		case err == nil:
			return response, nil
		case ctx.Err() != nil:
			return nil, a.timedOut(name, limit, unknown)
		case !worthAnotherTry(err):
			return nil, translateFailure(err)
		}
		unknown = isUnknownNode(err)
		select {
		case <-ctx.Done():
			return nil, a.timedOut(name, limit, unknown)
		case <-time.After(a.backoff):
		}
	}
}

// worthAnotherTry tells failures to reach the right broker from answers that will not change.
func worthAnotherTry(err error) bool {
	if e, ok := errors.AsType[*kerr.Error](err); ok {
		return e.Retriable
	}
	return !errors.Is(err, kgo.ErrClientClosed) && !errors.Is(err, errBrokersOnly) && !isUnsupported(err)
}

// isUnsupported reports whether the broker does not serve a request.
func isUnsupported(err error) bool {
	// kgo has no exported errors for a broker that does not list the API, or only older versions of it.
	text := err.Error()
	return errors.Is(err, kerr.UnsupportedVersion) ||
		strings.Contains(text, "request key is unknown") || strings.Contains(text, "broker is too old")
}

func translateFailure(err error) error {
	if errors.Is(err, errBrokersOnly) {
		return err
	}
	if isUnsupported(err) {
		return responseError(kerr.UnsupportedVersion.Code, nil)
	}
	if e, ok := errors.AsType[*kerr.Error](err); ok {
		return responseError(e.Code, nil)
	}
	return &exception{class: "org.apache.kafka.common.KafkaException", message: err.Error(), cause: err}
}

// isUnknownNode reports whether a request was for a node that is not in the cluster.
func isUnknownNode(err error) bool {
	return errors.Is(err, errNoNode) || err.Error() == "unknown broker" // kgo does not export that one either
}

// timedOut is what Kafka's Admin says when its time is over: that it had no node to ask, or that the node did not answer.
func (a *admin) timedOut(name string, limit time.Duration, unknownNode bool) error {
	if unknownNode || !a.connected.Load() || name == callIncrementalAlterConfigs {
		return timeoutException("Timed out waiting for a node assignment. Call: " + name)
	}
	return timeoutException(fmt.Sprintf("Call(callName=%s) timed out after %d ms", name, limit.Milliseconds()))
}

const callIncrementalAlterConfigs = "incrementalAlterConfigs"

// request is call with the response's own type.
func request[R kmsg.Response](a *admin, name string, rq kmsg.Request) (R, error) {
	response, err := a.call(name, rq)
	if err != nil {
		var none R
		return none, err
	}
	return response.(R), nil
}

// askVersions is an ApiVersions request of these tools.
func askVersions() *kmsg.ApiVersionsRequest {
	rq := kmsg.NewPtrApiVersionsRequest()
	rq.ClientSoftwareName, rq.ClientSoftwareVersion = "ottla-tools", Version
	return rq
}

// serves reports whether the cluster serves an API.
func (a *admin) serves(key int16) (bool, error) {
	if a.apis == nil {
		response, err := request[*kmsg.ApiVersionsResponse](a, "apiVersions", askVersions())
		if err == nil {
			err = responseError(response.ErrorCode, nil)
		}
		if err != nil {
			return false, err
		}
		a.apis = make(map[int16]int16)
		for _, k := range response.ApiKeys {
			a.apis[k.ApiKey] = k.MaxVersion
		}
	}
	_, ok := a.apis[key]
	return ok, nil
}
