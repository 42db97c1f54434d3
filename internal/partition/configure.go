package partition

import "github.com/ottla/ottla/internal/metadata"

// topicSettings works out the settings of topics under one image, once each: a topic may have thousands of partitions.
type topicSettings struct {
	set   *Set
	image *metadata.Image
	last  string // the topic asked about last
	found *Settings
	err   error
}

func (t *topicSettings) of(topic string) (*Settings, error) {
	if (t.found == nil && t.err == nil) || t.last != topic {
		o := &t.set.options
		t.last = topic
		t.found, t.err = settingsOf(o.TopicConfig(t.image, topic), o.ProducerExpiration())
	}
	return t.found, t.err
}

// configure passes changed settings on to partitions.
func (s *Set) configure(settings *topicSettings, changes *metadata.Changes) {
	for _, resource := range changes.Configs {
		if resource.Type == metadata.ConfigBroker { // to whose settings those of topics fall back
			for p := range s.All() {
				s.apply(settings, p)
			}
			return
		}
	}
	for _, resource := range changes.Configs {
		if resource.Type != metadata.ConfigTopic {
			continue
		}
		for p := range s.of(resource.Name) {
			s.apply(settings, p)
		}
		if topic := settings.image.Topic(resource.Name); topic != nil && s.Offline() > 0 {
			s.reconsider(settings, topic)
		}
	}
}

// apply puts the settings of a partition's topic in force.
func (s *Set) apply(settings *topicSettings, p *Partition) {
	inForce, err := settings.of(p.name.Topic)
	if err != nil {
		s.options.Logger.Error("changed settings of a topic cannot be used", "partition", p.name.String(), "error", err)
		return
	}
	p.settings.Store(inForce)
	p.Log().Configure(inForce.Log)
	if _, future := s.Moving(p); future != nil {
		future.Configure(inForce.Log)
	}
	p.advance()
}
