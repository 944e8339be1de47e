//! `strftime_now`: the date as templates ask for it. The time is given from outside, so that a render can be repeated.

/// A moment, broken up in UTC.
struct Moment {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    /// 0 is Sunday.
    weekday: i64,
    /// 1 is the first of January.
    year_day: i64,
}

const MONTHS: [&str; 12] = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const DAY_S: i64 = 86_400;

impl Moment {
    /// Civil date of a Unix time, in the proleptic Gregorian calendar.
    fn new(unix_s: i64) -> Self {
        let days = unix_s.div_euclid(DAY_S);
        let second_of_day = unix_s.rem_euclid(DAY_S);
        // Counted in eras of 400 years that begin on a first of March, so that leap days come last.
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = era * 400 + year_of_era + i64::from(month <= 2);
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let before_month = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        Self {
            year,
            month,
            day,
            hour: second_of_day / 3_600,
            minute: second_of_day / 60 % 60,
            second: second_of_day % 60,
            weekday: (days + 4).rem_euclid(7),
            year_day: before_month[month as usize - 1] + day + i64::from(is_leap && month > 2),
        }
    }

    fn month_name(&self) -> &'static str {
        MONTHS[self.month as usize - 1]
    }

    fn weekday_name(&self) -> &'static str {
        WEEKDAYS[self.weekday as usize]
    }

    /// A numeric directive's value and its width with leading zeros.
    fn number(&self, directive: char) -> Option<(i64, usize)> {
        Some(match directive {
            'Y' => (self.year, 1),
            'y' => (self.year.rem_euclid(100), 2),
            'm' => (self.month, 2),
            'd' => (self.day, 2),
            'H' => (self.hour, 2),
            'I' => ((self.hour + 11) % 12 + 1, 2),
            'M' => (self.minute, 2),
            'S' => (self.second, 2),
            'j' => (self.year_day, 3),
            'u' => ((self.weekday + 6) % 7 + 1, 1),
            'w' => (self.weekday, 1),
            _ => return None,
        })
    }
}

/// `format` at a Unix time, in UTC and in English.
///
/// # Errors
/// Names a directive that is not supported.
pub(super) fn strftime(format: &str, unix_s: i64) -> Result<String, String> {
    use std::fmt::Write;

    let moment = Moment::new(unix_s);
    let mut out = String::new();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut directive = chars.next().unwrap_or(' ');
        let unpadded = directive == '-';
        if unpadded {
            directive = chars.next().unwrap_or(' ');
        }
        match directive {
            'B' => out.push_str(moment.month_name()),
            'b' | 'h' => out.push_str(&moment.month_name()[..3]),
            'A' => out.push_str(moment.weekday_name()),
            'a' => out.push_str(&moment.weekday_name()[..3]),
            'p' => out.push_str(if moment.hour < 12 { "AM" } else { "PM" }),
            '%' => out.push('%'),
            'f' => out.push_str("000000"),
            'Z' | 'z' => {} // Python gives nothing here for a time without a zone.
            'F' => out.push_str(&strftime("%Y-%m-%d", unix_s)?),
            'T' => out.push_str(&strftime("%H:%M:%S", unix_s)?),
            'R' => out.push_str(&strftime("%H:%M", unix_s)?),
            'D' => out.push_str(&strftime("%m/%d/%y", unix_s)?),
            'e' => out.push_str(&format!("{:>2}", moment.day)),
            _ => {
                let Some((number, width)) = moment.number(directive) else {
                    return Err(format!("strftime_now does not know the directive %{directive} in {format:?}"));
                };
                let width = if unpadded { 1 } else { width };
                // Writing to a String cannot fail.
                let _ = write!(out, "{number:0width$}");
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::strftime;

    /// Expectations from Python's `datetime.fromtimestamp(s, timezone.utc)`.
    #[test]
    fn dates_of_unix_times() {
        for (unix_s, expected) in [
            (0, "1970-01-01 00:00:00 Thu 001"),
            (951_782_399, "2000-02-28 23:59:59 Mon 059"),
            (951_782_400, "2000-02-29 00:00:00 Tue 060"),
            (1_720_083_906, "2024-07-04 09:05:06 Thu 186"),
            (1_735_689_599, "2024-12-31 23:59:59 Tue 366"),
            (-1, "1969-12-31 23:59:59 Wed 365"),
            (4_107_542_400, "2100-03-01 00:00:00 Mon 060"),
        ] {
            assert_eq!(strftime("%Y-%m-%d %H:%M:%S %a %j", unix_s).unwrap(), expected);
        }
    }

    #[test]
    fn an_unknown_directive_is_an_error() {
        assert!(strftime("%Q", 0).unwrap_err().contains("%Q"));
        assert!(strftime("100%", 0).is_err());
    }
}
