package config

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// provider looks a key up under a path; ok is false when there is no such key.
type provider func(path, key string) (value string, ok bool, err error)

// variable is ${provider:path:key} or ${provider:key}.
var variable = regexp.MustCompile(`\$\{([^}]*?):(?:([^}]*?):)?([^}]*?)\}`)

// maxSecretBytes bounds a file that a provider reads.
const maxSecretBytes = 1 << 20

// resolve replaces the variables in all values by what the providers of config.providers say (KIP-297, KIP-421). A
// variable of an unknown provider, and a key that is not found, stay as they are.
func resolve(properties map[string]string, environ []string) error {
	providers, err := newProviders(properties, environ)
	if err != nil || len(providers) == 0 {
		return err
	}
	for name, value := range properties {
		if strings.HasPrefix(name, "config.providers") || !strings.Contains(value, "${") {
			continue
		}
		var failed error
		properties[name] = variable.ReplaceAllStringFunc(value, func(found string) string {
			part := variable.FindStringSubmatch(found)
			lookUp := providers[part[1]]
			if lookUp == nil {
				return found
			}
			text, ok, err := lookUp(part[2], part[3])
			if err != nil {
				failed = fmt.Errorf("%s: %s: %w", name, found, err)
			}
			if !ok {
				return found
			}
			return text
		})
		if failed != nil {
			return failed
		}
	}
	return nil
}

func newProviders(properties map[string]string, environ []string) (map[string]provider, error) {
	providers := make(map[string]provider)
	for _, name := range splitList(trim(properties["config.providers"])) {
		prefix := "config.providers." + name
		class := trim(properties[prefix+".class"])
		allowed := splitList(trim(properties[prefix+".param.allowed.paths"]))
		switch class[strings.LastIndex(class, ".")+1:] {
		case "EnvVarConfigProvider":
			p, err := environmentProvider(environ, properties[prefix+".param.allowlist.pattern"])
			if err != nil {
				return nil, fmt.Errorf("%s.param.allowlist.pattern: %w", prefix, err)
			}
			providers[name] = p
		case "FileConfigProvider":
			providers[name] = fileProvider(allowed)
		case "DirectoryConfigProvider":
			providers[name] = directoryProvider(allowed)
		case "":
			return nil, fmt.Errorf("config.providers names %s: set %s.class to its class", name, prefix)
		default:
			return nil, fmt.Errorf("%s.class=%s: Java classes cannot be loaded; EnvVarConfigProvider, FileConfigProvider and DirectoryConfigProvider are known", prefix, class)
		}
	}
	return providers, nil
}

func environmentProvider(environ []string, pattern string) (provider, error) {
	allowed, err := regexp.Compile("^(?:" + pattern + ")$")
	if err != nil {
		return nil, err
	}
	return func(path, key string) (string, bool, error) {
		if path != "" {
			return "", false, fmt.Errorf("path is not supported for EnvVarConfigProvider, invalid value '%s'", path)
		}
		if pattern != "" && !allowed.MatchString(key) {
			return "", false, nil
		}
		for _, variable := range slices.Backward(environ) {
			if value, ok := strings.CutPrefix(variable, key+"="); ok {
				return value, true, nil
			}
		}
		return "", false, nil
	}, nil
}

// fileProvider reads keys of properties files.
func fileProvider(allowed []string) provider {
	return func(path, key string) (string, bool, error) {
		if path == "" || !pathAllowed(path, allowed) {
			return "", false, nil
		}
		text, err := readBounded(path, maxSecretBytes)
		if err != nil {
			return "", false, fmt.Errorf("could not read properties from file %s: %w", path, err)
		}
		properties, err := ParseProperties(text)
		if err != nil {
			return "", false, fmt.Errorf("%s: %w", path, err)
		}
		for _, p := range slices.Backward(properties) {
			if p.Name == key {
				return p.Value, true, nil
			}
		}
		return "", false, nil
	}
}

// directoryProvider reads files of a directory, one key each.
func directoryProvider(allowed []string) provider {
	return func(path, key string) (string, bool, error) {
		if path == "" || key != filepath.Base(key) || !pathAllowed(path, allowed) {
			return "", false, nil
		}
		file := filepath.Join(path, key)
		if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
			return "", false, nil
		}
		text, err := readBounded(file, maxSecretBytes)
		if err != nil {
			return "", false, fmt.Errorf("could not read file %s: %w", file, err)
		}
		return text, true, nil
	}
}

// pathAllowed reports whether a path lies under one of the allowed ones; none allows all.
func pathAllowed(path string, allowed []string) bool {
	if len(allowed) == 0 {
		return true
	}
	path = filepath.Clean(path)
	return slices.ContainsFunc(allowed, func(root string) bool {
		rest, err := filepath.Rel(filepath.Clean(root), path)
		return err == nil && rest != ".." && !strings.HasPrefix(rest, ".."+string(filepath.Separator))
	})
}

// readBounded reads a file of at most limit bytes.
func readBounded(path string, limit int64) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if info.Size() > limit {
		return "", fmt.Errorf("%s has %d bytes, more than the %d a configuration may have", path, info.Size(), limit)
	}
	data, err := os.ReadFile(path)
	return string(data), err
}
