//! Faults: what goes wrong in a program again and again. Most become one issue each.

use std::sync::Arc;

use serde_json::Value;

use super::catalogue::Program;
use super::javascript;
use super::native;
use super::plan::Course;
use super::random::Random;
use super::stack::{self, Stack};
use crate::commands::demo_files::{ARTIFACT_BUNDLE, SHOP_BUNDLE};
use crate::error::Result;

/// How quickly faults get rarer from the most frequent one on: the exponent of their rank.
const SKEW: f64 = 1.15;

/// One thing that goes wrong.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    /// Place of its program in the catalogue.
    pub(super) program: usize,
    pub(super) what: What,
    /// How often it happens, relative to all others.
    pub(super) weight: f64,
    /// When it happens.
    pub(super) course: Course,
}

/// How it shows.
#[derive(Debug, Clone)]
pub(super) enum What {
    /// An exception: place of the error in its program, and the stack trace.
    Exception(usize, Arc<Stack>),
    /// A message: its place in its program.
    Message(usize),
}

/// A program with what its events share.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) program: Program,
    /// Loaded images, as its SDK sends them.
    pub(super) debug_meta: Option<Value>,
}

/// Returns the programs with all their faults.
///
/// # Errors
/// When an embedded file is broken, which tests rule out.
pub(super) fn faults(programs: Vec<Program>, seed: u64) -> Result<(Vec<Subject>, Vec<Fault>)> {
    let (mut subjects, mut faults) = (Vec::new(), Vec::new());
    for (place, program) in programs.into_iter().enumerate() {
        let mut random = Random::new(seed, place as u64 + 1);
        let (stacks, debug_meta) = stacks(&program, &mut random)?;
        let mut whats = exceptions(&program, stacks);
        whats.extend((0..program.message.len()).map(What::Message));
        shuffle(&mut whats, &mut random);
        let ranks: Vec<f64> =
            (0..whats.len()).map(|rank| (rank as f64 + 2.0).powf(-SKEW)).collect();
        let share = f64::from(program.weight) / ranks.iter().sum::<f64>();
        faults.extend(whats.into_iter().zip(ranks).map(|(what, rank)| Fault {
            program: place,
            what,
            weight: rank * share,
            course: Course::any(&mut random),
        }));
        subjects.push(Subject { program, debug_meta });
    }
    Ok((subjects, faults))
}

fn stacks(program: &Program, random: &mut Random) -> Result<(Vec<Stack>, Option<Value>)> {
    if program.is_native() {
        let recorded = native::recorded(random)?;
        return Ok((recorded.stacks, Some(recorded.debug_meta)));
    }
    let Some(url) = &program.script else { return Ok((stack::stacks(program), None)) };
    let script = javascript::script(bundle(program), url, random)?;
    Ok((script.stacks, Some(javascript::image(url, script.debug_id))))
}

/// Returns the artifact bundle of a page.
pub(super) fn bundle(program: &Program) -> &'static [u8] {
    if program.slug == "gallery" { ARTIFACT_BUNDLE } else { SHOP_BUNDLE }
}

/// Returns every error at every place where it can happen.
fn exceptions(program: &Program, stacks: Vec<Stack>) -> Vec<What> {
    let mut whats = Vec::new();
    for stack in stacks.into_iter().map(Arc::new) {
        for (place, error) in program.error.iter().enumerate() {
            let is_here = error.at.is_empty() || error.at.contains(&stack.last);
            if is_here && error.library == stack.library {
                whats.push(What::Exception(place, Arc::clone(&stack)));
            }
        }
    }
    whats
}

fn shuffle<T>(values: &mut [T], random: &mut Random) {
    for place in (1..values.len()).rev() {
        values.swap(place, random.below(place + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::seed::catalogue;

    #[test]
    fn every_program_has_faults_and_few_of_them_are_frequent() {
        let (subjects, faults) = faults(catalogue::programs().unwrap(), 1).unwrap();
        assert!(faults.len() > 300, "{}", faults.len());
        for (place, subject) in subjects.iter().enumerate() {
            let of = faults.iter().filter(|fault| fault.program == place);
            let weights: Vec<f64> = of.map(|fault| fault.weight).collect();
            assert!(weights.len() > 8, "{}: {}", subject.program.slug, weights.len());
            let share = weights[0] / weights.iter().sum::<f64>();
            assert!((0.05..0.5).contains(&share), "{}: {share}", subject.program.slug);
        }
    }
}
