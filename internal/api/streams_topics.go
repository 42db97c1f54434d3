package api

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// streamsTopics are internal topics of Kafka Streams applications that are being created, or could not be
// (kafka.server.AutoTopicCreationManager). Heartbeats of all members ask for the same topics: each is asked for once at a
// time, and after a failure only when two heartbeat intervals have passed.
type streamsTopics struct {
	mu struct {
		sync.Mutex
		creating map[string]bool
		failed   map[string]failedTopic
	}
}

// failedTopic is why a topic could not be created, and until when that is told and not tried again.
type failedTopic struct {
	text  string
	until time.Time
}

// maxFailedTopics is how many failures are remembered.
const maxFailedTopics = 1000

// begin returns those of the topics that have to be asked for now.
func (s *streamsTopics) begin(now time.Time, topics []wire.CreateTopicsRequestCreatableTopic) []wire.CreateTopicsRequestCreatableTopic {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.creating == nil {
		s.mu.creating, s.mu.failed = map[string]bool{}, map[string]failedTopic{}
	}
	var begun []wire.CreateTopicsRequestCreatableTopic
	for _, topic := range topics {
		if s.mu.creating[topic.Name] || now.Before(s.mu.failed[topic.Name].until) {
			continue
		}
		s.mu.creating[topic.Name] = true
		begun = append(begun, topic)
	}
	return begun
}

// end notes what has become of the topics that were asked for.
func (s *streamsTopics) end(now, until time.Time, asked []wire.CreateTopicsRequestCreatableTopic, failed map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, f := range s.mu.failed {
		if !now.Before(f.until) {
			delete(s.mu.failed, name)
		}
	}
	for _, topic := range asked {
		delete(s.mu.creating, topic.Name)
		if text, is := failed[topic.Name]; is && len(s.mu.failed) < maxFailedTopics {
			s.mu.failed[topic.Name] = failedTopic{text, until}
		}
	}
}

// failures tells why some of the topics could not be created, "" if nothing is known.
func (s *streamsTopics) failures(now time.Time, topics []wire.CreateTopicsRequestCreatableTopic) string {
	const most = 3
	s.mu.Lock()
	defer s.mu.Unlock()
	var texts []string
	n := 0
	for _, topic := range topics {
		if f, is := s.mu.failed[topic.Name]; is && now.Before(f.until) {
			if n++; n <= most {
				texts = append(texts, fmt.Sprintf("%s (%s)", topic.Name, f.text))
			}
		}
	}
	text := strings.Join(texts, ", ")
	if n > most {
		text += fmt.Sprintf(" and %d more", n-most)
	}
	return text
}

// createInternals has the controller create internal topics that a streams group misses, and adds to the answer why the last
// attempt failed.
func (a *API) createInternals(now time.Time, answer group.StreamsAnswer) {
	wait := 2 * time.Duration(answer.HeartbeatIntervalMs) * time.Millisecond
	if asked := a.internals.begin(now, answer.Missing); len(asked) > 0 {
		rq := new(wire.CreateTopicsRequest)
		rq.Reset()
		rq.Topics = asked
		askController(a, ownRequest(), (*controller.Controller).CreateTopics, rq, func(response *wire.CreateTopicsResponse, err error) {
			failed := map[string]string{}
			for i := range asked {
				if err != nil {
					failed[asked[i].Name] = err.Error()
				}
			}
			if err == nil {
				for i := range response.Topics {
					t := &response.Topics[i]
					if code := kafka.ErrorCode(t.ErrorCode); code != kafka.None && code != kafka.TopicAlreadyExists {
						failed[t.Name] = code.String()
						if t.ErrorMessage != nil {
							failed[t.Name] = *t.ErrorMessage
						}
					}
				}
			}
			a.internals.end(now, now.Add(wait), asked, failed)
		})
	}
	if text := a.internals.failures(now, answer.Missing); text != "" {
		for i := range answer.Status {
			if s := &answer.Status[i]; s.StatusCode == group.StatusMissingInternalTopics {
				s.StatusDetail += "; Creation failed: " + text + "."
			}
		}
	}
}
