package api

import (
	"log/slog"
	"slices"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/wire"
)

// rootLogger is the one logger of this broker, by the name that Kafka gives the logger above all others. Its level can be
// read and changed like Kafka's (KIP-412).
const rootLogger = "root"

// logLevels are Kafka's names of levels. TRACE and FATAL have no counterpart of their own.
var logLevels = map[string]slog.Level{
	"TRACE": slog.LevelDebug, "DEBUG": slog.LevelDebug, "INFO": slog.LevelInfo,
	"WARN": slog.LevelWarn, "ERROR": slog.LevelError, "FATAL": slog.LevelError,
}

func (a *API) checkLoggerResource(name string) error {
	if name == "" {
		return kafka.Errorf(kafka.InvalidRequest, "Broker id must not be empty")
	}
	if id, err := strconv.ParseInt(name, 10, 32); err != nil || int32(id) != a.Node {
		return kafka.Errorf(kafka.InvalidRequest, "Unexpected broker id, expected %d but received %s", a.Node, name)
	}
	return nil
}

// checkAlteredLoggers is checkLoggerResource in the words in which Kafka refuses changes (RuntimeLoggerManager).
func (a *API) checkAlteredLoggers(name string) error {
	id, err := strconv.ParseInt(name, 10, 32)
	if err != nil {
		return kafka.Errorf(kafka.InvalidRequest, "Node id must be an integer, but it is: %s", name)
	}
	if int32(id) != a.Node {
		return kafka.Errorf(kafka.InvalidRequest, "Unexpected node id. Expected %d, but received %d", a.Node, id)
	}
	return nil
}

func (a *API) describeLoggers(name string, keys []string, docs bool) ([]config.Entry, error) {
	if err := a.checkLoggerResource(name); err != nil {
		return nil, err
	}
	if len(keys) > 0 && !slices.Contains(keys, rootLogger) {
		return nil, nil
	}
	level := a.LogLevel.Level().String()
	e := config.Entry{Name: rootLogger, Value: &level, Source: config.DynamicLoggerConfig, Type: config.String}
	if docs {
		doc := "Level of what the broker logs: DEBUG, INFO, WARN or ERROR."
		e.Doc = &doc
	}
	return []config.Entry{e}, nil
}

// alterLogger changes levels: SET gives one, DELETE goes back to INFO.
func (a *API) alterLogger(resource *wire.IncrementalAlterConfigsRequestAlterConfigsResource, validateOnly bool) error {
	if err := a.checkAlteredLoggers(resource.ResourceName); err != nil {
		return err
	}
	level := a.LogLevel.Level()
	for _, change := range resource.Configs {
		if change.Name != rootLogger {
			return kafka.Errorf(kafka.InvalidConfig, "Logger %s does not exist! This broker has one, %s.", change.Name, rootLogger)
		}
		switch config.OpType(change.ConfigOperation) {
		case config.Set:
			text := ""
			if change.Value != nil {
				text = *change.Value
			}
			known, ok := logLevels[strings.ToUpper(text)]
			if !ok {
				return kafka.Errorf(kafka.InvalidConfig, "Cannot set the log level of %s to %s: it can be DEBUG, INFO, WARN or ERROR", rootLogger, text)
			}
			level = known
		case config.Delete:
			level = slog.LevelInfo
		default:
			return kafka.Errorf(kafka.InvalidRequest, "APPEND and SUBTRACT are no operations for log levels")
		}
	}
	if !validateOnly {
		a.LogLevel.Set(level)
	}
	return nil
}

// isLogger reports whether a resource of IncrementalAlterConfigs is about log levels, which are not metadata: the broker
// that is asked changes its own.
func isLogger(resourceType int8) bool {
	return metadata.ConfigType(resourceType) == metadata.ConfigBrokerLogger
}
