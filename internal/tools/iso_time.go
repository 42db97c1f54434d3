package tools

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// parseISODuration reads a duration as Java's Duration.parse does: PnDTnHnMn.nS, with signs.
func parseISODuration(text string) (time.Duration, error) {
	failed := &exception{class: "java.time.format.DateTimeParseException", message: "Text cannot be parsed to a Duration"}
	pattern := regexp.MustCompile(`(?i)^([-+]?)P(?:([-+]?[0-9]+)D)?(T(?:([-+]?[0-9]+)H)?(?:([-+]?[0-9]+)M)?(?:([-+]?[0-9]+(?:[.,][0-9]{0,9})?)S)?)?$`)
	m := pattern.FindStringSubmatch(text)
	if m == nil || strings.EqualFold(m[3], "T") || m[2]+m[4]+m[5]+m[6] == "" {
		return 0, failed
	}
	var total float64
	for i, unit := range map[int]time.Duration{2: 24 * time.Hour, 4: time.Hour, 5: time.Minute, 6: time.Second} {
		if m[i] == "" {
			continue
		}
		n, err := strconv.ParseFloat(strings.Replace(m[i], ",", ".", 1), 64)
		if err != nil {
			return 0, failed
		}
		total += n * float64(unit)
	}
	if m[1] == "-" {
		total = -total
	}
	if total > 9e18 || total < -9e18 {
		return 0, failed
	}
	return time.Duration(total), nil
}

// parseDateTime reads the time of --to-datetime: YYYY-MM-DDThh:mm:ss.sss, in UTC or with an offset (Z, +hh, +hhmm, +hh:mm).
func parseDateTime(text string) (time.Time, error) {
	failure := func(message string) error {
		return inRuntime(&exception{class: "java.text.ParseException", message: message})
	}
	_, clock, ok := strings.Cut(text, "T")
	if !ok {
		return time.Time{}, failure("Error parsing timestamp. It does not contain a 'T' according to ISO8601 format")
	}
	if !strings.ContainsAny(clock, "Z+-") {
		text += "Z"
	}
	for _, layout := range []string{"2006-01-02T15:04:05.000Z07:00", "2006-01-02T15:04:05.000Z0700", "2006-01-02T15:04:05.000Z07",
		"2006-01-02T15:04Z07:00", "2006-01-02T15:04:05Z07:00"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, failure(`Unparseable date: "` + text + `"`)
}
