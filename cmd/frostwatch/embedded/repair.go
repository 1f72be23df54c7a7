package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// repair mends what a crash, a full disk or a bad sector left in a broker's directory,
// so that kfake can start from it, and logs what was lost. kfake itself refuses to start
// at the first state file that it can't read, and drops the rest of a log behind a
// broken batch.
type repair struct {
	dir string
	log *slog.Logger
}

// Names in the directory. meta.json and topics.json are kfake's own state, each written
// whole and renamed.
const (
	metaFile   = "meta.json"
	topicsFile = "topics.json"
	groupsFile = "groups.log"
	partitions = "partitions"
	copyEnding = ".copy" // our copy of the last complete topics.json
)

// spare are files that may be removed: kfake makes them again, and they hold nothing of
// Frostwatch's.
var spare = []string{"broker_configs.json", "acls.json", "sasl.json", "quotas.json", "seq_windows.json", "session_state.json"}

func (r repair) run(ctx context.Context) error {
	if err := r.uncompact(); err != nil {
		return err
	}
	if err := r.topics(); err != nil {
		return err
	}
	if err := r.meta(); err != nil {
		return err
	}
	for _, name := range spare {
		if err := r.spare(name); err != nil {
			return err
		}
	}
	for name, holds := range map[string]string{groupsFile: "offsets committed by groups", "pids.log": "ids of producers"} {
		if err := r.entries(name, holds); err != nil {
			return err
		}
	}
	if err := r.logs(ctx); err != nil {
		return err
	}
	return r.restoreEnds()
}

// meta mends the file that names the cluster, and without which kfake takes the
// directory for an empty one and writes over what lies there.
func (r repair) meta() error {
	broken := unreadable(filepath.Join(r.dir, metaFile), &struct {
		Version int    `json:"version"`
		ID      string `json:"cluster_id"`
	}{})
	if broken == nil || (errors.Is(broken, fs.ErrNotExist) && !exists(filepath.Join(r.dir, topicsFile))) {
		return nil
	}
	if err := replace(filepath.Join(r.dir, metaFile), []byte(`{"version":1,"cluster_id":"kfake"}`)); err != nil {
		return err
	}
	r.log.Warn("broker: a file could not be read and was made anew; nothing is lost", "file", filepath.Join(r.dir, metaFile), "error", broken)
	return nil
}

// topicList is the part of topics.json that is used here.
type topicList struct {
	Topics []topicEntry `json:"topics"`
}

type topicEntry struct {
	Name       string            `json:"name"`
	Partitions int               `json:"partitions"`
	Configs    map[string]string `json:"configs"`
}

// readTopics reads topics.json or its copy. A file that names no topic is an error if
// there are records.
func readTopics(path string, records bool) (list topicList, err error) {
	err = unreadable(path, &list)
	if err == nil && len(list.Topics) == 0 && records {
		err = errors.New("it names no topic, and there are records")
	}
	return list, err
}

// topics replaces a topics.json that can't be read by its copy.
func (r repair) topics() error {
	path := filepath.Join(r.dir, topicsFile)
	folders, err := r.folders()
	if err != nil {
		return err
	}
	_, broken := readTopics(path, len(folders) > 0)
	if broken == nil || (len(folders) == 0 && errors.Is(broken, fs.ErrNotExist)) {
		return nil
	}
	if len(folders) == 0 {
		r.log.Warn("broker: a file could not be read and was made anew; there were no records", "file", path, "error", broken)
		return replace(path, []byte(`{"version":1,"topics":[]}`))
	}
	list, err := readTopics(path+copyEnding, true)
	if err != nil {
		return fmt.Errorf("%s can't be read (%w), and neither can its copy %s (%w): put a whole one back, or remove the folder %s to start anew. "+
			"That loses all records (clips, recognitions, alerts, cameras that were added) and how far they were worked through, not the vocabulary and not the archive",
			path, broken, path+copyEnding, err, r.dir)
	}
	text, err := os.ReadFile(path + copyEnding)
	if err != nil {
		return fmt.Errorf("read %s: %w", path+copyEnding, err)
	}
	if err := r.setAside(folders, list); err != nil {
		return err
	}
	if err := replace(path, text); err != nil {
		return err
	}
	r.log.Warn("broker: a file could not be read and was replaced by its copy; nothing is lost", "file", path, "error", broken)
	return nil
}

// setAside moves the folders of partitions that the copy does not know: kfake would
// append to their files as if they were empty.
func (r repair) setAside(folders []string, list topicList) error {
	known := map[string]bool{}
	for _, t := range list.Topics {
		for p := range t.Partitions {
			known[folderOf(t.Name, p)] = true
		}
	}
	for _, f := range folders {
		if known[f] {
			continue
		}
		aside := filepath.Join(r.dir, "set-aside", f)
		err := errors.Join(os.MkdirAll(filepath.Dir(aside), 0o755), os.RemoveAll(aside), os.Rename(filepath.Join(r.dir, partitions, f), aside))
		if err != nil {
			return fmt.Errorf("set a partition aside: %w", err)
		}
		r.log.Error("broker: the copy of topics.json does not know a partition: its records are set aside", "folder", aside)
	}
	return nil
}

// folders returns the names of the folders of partitions that have log files.
func (r repair) folders() (out []string, err error) {
	logs, err := filepath.Glob(filepath.Join(r.dir, partitions, "*", "*.dat"))
	if err != nil {
		return nil, fmt.Errorf("list the partitions: %w", err)
	}
	for _, l := range logs {
		out = append(out, filepath.Base(filepath.Dir(l)))
	}
	return slices.Compact(out), nil
}

// spare removes a file that can't be read and is not missed.
func (r repair) spare(name string) error {
	path := filepath.Join(r.dir, name)
	broken := unreadable(path, new(any))
	if broken == nil || errors.Is(broken, fs.ErrNotExist) {
		return nil
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("remove a file that can't be read: %w", err)
	}
	r.log.Warn("broker: a file could not be read and was removed; nothing of Frostwatch's is lost", "file", path, "error", broken)
	return nil
}

// copyTopics copies topics.json if it is complete and newer than the copy.
func copyTopics(dir string) error {
	path := filepath.Join(dir, topicsFile)
	now, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("copy the list of topics: %w", err)
	}
	if old, err := os.Stat(path + copyEnding); err == nil && old.Size() == now.Size() && !old.ModTime().Before(now.ModTime()) {
		return nil
	}
	list, err := readTopics(path, false)
	if err != nil || len(list.Topics) == 0 {
		return err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("copy the list of topics: %w", err)
	}
	return replace(path+copyEnding, text)
}

// unreadable parses a JSON file into a value, and returns why it can't.
func unreadable(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err //nolint:wrapcheck // names the file
	}
	if len(strings.TrimSpace(string(text))) == 0 {
		return errors.New("it is empty")
	}
	return json.Unmarshal(text, into) //nolint:wrapcheck // the caller names the file
}

// replace writes a file through a temporary one, so that a crash leaves the old or the
// new text.
func replace(path string, text []byte) (err error) {
	f, err := os.OpenFile(path+".tmp", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = f.Write(text)
		err = errors.Join(err, f.Sync(), f.Close())
	}
	if err == nil {
		err = os.Rename(path+".tmp", path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }
