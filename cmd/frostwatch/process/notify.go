package process

import (
	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/internal/changes"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/notify"
)

// Notify builds the stage that delivers alerts to receivers.
func (p *Process) Notify() ([]Part, error) {
	films, err := p.filmStore()
	if err != nil {
		return nil, err
	}
	plan, err := notify.Compile(p.Config.Notify.Receivers)
	if err != nil {
		return nil, err
	}
	verifier, err := notify.CompileVerify(p.Config.Notify.Verify)
	if err != nil {
		return nil, err
	}
	past, err := archive.NewReader(archive.ReaderOptions{Log: p.Bus, Names: p.Names})
	if err != nil {
		return nil, err
	}
	s, err := notify.New(notify.Options{
		Bus: stageBus{p.Bus, p, "notify"}, Names: p.Names, Group: p.Names.Group(p.Config.Notify.Group), Plan: plan, Worker: p.worker, Profiles: p.Config.Notify.Profiles, Evidence: past.Evidence, Verifier: verifier,
		Films:  films,
		Logger: p.log, Meter: p.tel.Meter("notify"), Reporter: p.reporter, Propagator: p.tel.Propagator(),
	})
	if err != nil {
		return nil, err
	}
	p.onReload(func(c config.Config) (func() []string, error) {
		next, err := notify.Compile(c.Notify.Receivers)
		return func() []string {
			lines := next.Since(plan).Lines("receiver")
			plan = next
			s.SetPlan(next)
			return lines
		}, err
	}, "notify.receivers")
	p.onVerifier(verifier, s.SetVerifier)
	profiles := p.Config.Notify.Profiles
	p.onReload(func(c config.Config) (func() []string, error) {
		return func() []string {
			lines := changes.Between(profiles, c.Notify.Profiles, func(p config.Profile) (string, any) { return p.Name, p }).Lines("profile")
			profiles = c.Notify.Profiles
			s.SetProfiles(profiles)
			return lines
		}, nil
	}, "notify.profiles")
	p.stages = append(p.stages, "notify")
	return []Part{{Name: "notify", Run: s.Run}}, nil
}

// onVerifier puts another model in force when the configuration names one.
func (p *Process) onVerifier(inForce *notify.Verifier, put func(*notify.Verifier)) {
	p.onReload(func(c config.Config) (func() []string, error) {
		next, err := notify.CompileVerify(c.Notify.Verify)
		return func() []string {
			if next.Same(inForce) {
				return nil
			}
			inForce = next
			put(next)
			return []string{"notify.verify changed"}
		}, err
	}, "notify.verify")
}
