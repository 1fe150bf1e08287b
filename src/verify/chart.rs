//! The chart of a load: rate against latency, as SVG.

use plotters::{
    prelude::{
        ChartBuilder, Circle, IntoDrawingArea, IntoFont, IntoLogRange, LineSeries, PathElement,
        RGBColor, SVGBackend, SeriesLabelPosition, WHITE,
    },
    style::Color,
};

use crate::plan::Load;

/// Width and height in pixels.
const SIZE: (u32, u32) = (760, 420);
const BLUE: RGBColor = RGBColor(31, 95, 168);
const ORANGE: RGBColor = RGBColor(201, 106, 0);
const RED: RGBColor = RGBColor(178, 34, 52);
const GREY: RGBColor = RGBColor(90, 90, 90);

/// Returns the chart of `load` as SVG; the same load gives the same text.
pub fn chart(title: &str, load: &Load) -> String {
    let mut text = String::new();
    draw(&mut text, title, load).expect("drawing into memory does not fail");
    text
}

fn draw(text: &mut String, title: &str, load: &Load) -> Result<(), Box<dyn std::error::Error>> {
    let steps = &load.steps;
    let rates = || steps.iter().map(|step| step.offered.max(0.1));
    let slowest = steps
        .iter()
        .map(|step| step.p95_ms)
        .fold(load.limit_ms, f64::max);
    let fastest = steps
        .iter()
        .map(|step| step.p50_ms)
        .fold(load.limit_ms, f64::min);
    let (lowest, highest) = (
        rates().fold(f64::INFINITY, f64::min).min(1e6) / 1.3,
        rates().fold(1.0, f64::max) * 1.3,
    );
    let caption = match load.knee {
        Some(knee) => format!(
            "{title}: {knee:.0} requests per second, p95 within {:.0} ms",
            load.limit_ms
        ),
        None => format!(
            "{title}: no rate was answered within {:.0} ms",
            load.limit_ms
        ),
    };
    let area = SVGBackend::with_string(text, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(caption, ("sans-serif", 18).into_font())
        .margin(14)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d(
            (lowest.min(highest / 2.0)..highest).log_scale(),
            (fastest.max(0.05) / 2.0..slowest * 1.5).log_scale(),
        )?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_desc("requests per second")
        .y_desc("latency in ms")
        .x_label_formatter(&|value| number(*value))
        .y_label_formatter(&|value| number(*value))
        .draw()?;
    let limit = [lowest.min(highest / 2.0), highest].map(|rate| (rate, load.limit_ms));
    let dash = |colour: RGBColor| move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour);
    chart
        .draw_series(LineSeries::new(limit, GREY))?
        .label("limit")
        .legend(dash(GREY));
    if let Some(knee) = load.knee {
        let top = slowest * 1.5;
        let bottom = fastest.max(0.05) / 2.0;
        chart
            .draw_series(LineSeries::new([(knee, bottom), (knee, top)], RED))?
            .label("knee")
            .legend(dash(RED));
    }
    for (label, colour, value) in [
        (
            "p95",
            ORANGE,
            (|step| step.p95_ms) as fn(&crate::plan::LoadStep) -> f64,
        ),
        ("p50", BLUE, |step| step.p50_ms),
    ] {
        let points: Vec<(f64, f64)> = steps
            .iter()
            .map(|step| (step.offered.max(0.1), value(step).max(0.05)))
            .collect();
        chart
            .draw_series(LineSeries::new(points.clone(), colour.stroke_width(2)))?
            .label(label)
            .legend(dash(colour));
        chart.draw_series(
            points
                .into_iter()
                .map(|point| Circle::new(point, 3, colour.filled())),
        )?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE)
        .border_style(GREY)
        .draw()?;
    area.present()?;
    drop(chart);
    drop(area);
    Ok(())
}

fn number(value: f64) -> String {
    if value < 1.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.0}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{LoadEnd, LoadStep};

    fn load(steps: usize, knee: Option<f64>) -> Load {
        let rates = [50.0, 100.0, 200.0].into_iter().take(steps);
        let step = |rate: f64| LoadStep {
            offered: rate,
            answered: rate,
            requests: 100,
            errors: 0,
            p50_ms: rate / 20.0,
            p95_ms: rate / 4.0,
            p99_ms: rate,
            within_limit: rate < 150.0,
        };
        Load {
            path: "/".into(),
            unloaded_p95_ms: 5.0,
            limit_ms: 25.0,
            steps: rates.map(step).collect(),
            knee,
            end: LoadEnd::Knee,
            cpu_millicores: Some(120),
            wanted: None,
        }
    }

    #[test]
    fn a_chart_names_the_knee_and_the_limit_and_is_the_same_each_time() {
        let load = load(3, Some(100.0));
        let text = chart("web", &load);
        assert!(
            text.starts_with("<svg ") && text.trim_end().ends_with("</svg>"),
            "{text}"
        );
        assert!(
            text.contains("web: 100 requests per second, p95 within 25 ms"),
            "{text}"
        );
        for label in [
            "p95",
            "p50",
            "limit",
            "knee",
            "requests per second",
            "latency in ms",
        ] {
            assert!(text.contains(label), "{label}: {text}");
        }
        assert_eq!(text.matches("<circle").count(), 6);
        assert_eq!(text, chart("web", &load));
        roxmltree::Document::parse(&text).expect("XML");
    }

    #[test]
    fn a_load_without_steps_has_a_chart_too() {
        let text = chart("<web>", &load(0, None));
        let parsed = roxmltree::Document::parse(&text).expect("XML");
        assert!(text.contains("no rate was answered within 25 ms"));
        assert!(
            parsed
                .descendants()
                .all(|node| node.tag_name().name() != "web")
        );
    }
}
